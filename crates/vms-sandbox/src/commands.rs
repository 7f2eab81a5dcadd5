//! Commands that the library and the control API both give.

use crate::{Activity, Push, Sockets, Standing, Target, pusher::hub::Mode, world::World};

/// Neither reads nor writes sockets from now on.
pub(crate) fn stall(world: &World, sockets: &Sockets) -> usize {
    let numbers = world.hub.set_mode(sockets, Mode::Stalled);
    for socket in &numbers {
        world.journal.tell(Activity::SocketStalled { socket: *socket });
    }
    numbers.len()
}

/// Pushes `logout` to a session, then makes its token worthless; false when there is no such session.
pub(crate) async fn log_out(world: &World, access_token_id: &str, subject: Option<&str>) -> bool {
    let push = Push {
        subject: subject.map(str::to_owned),
        ..Push::new("logout").to(Target::Session(access_token_id.to_owned()))
    };
    let pushed = world.push(&push).await.is_ok();
    let revoked = world.accounts().set_standing(access_token_id, Standing::Revoked);
    world.hub.touch();
    pushed && revoked
}
