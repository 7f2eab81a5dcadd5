use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A provider that counts: each refresh brings the next number.
#[derive(Default)]
struct Counting(Arc<AtomicUsize>);

impl TokenProvider for Counting {
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(numbered(self.0.load(Ordering::SeqCst)))
    }

    async fn refresh(&self, _: &Secret) -> Result<Secret, TokenError> {
        Ok(numbered(self.0.fetch_add(1, Ordering::SeqCst) + 1))
    }
}

fn numbered(number: usize) -> Secret {
    Secret::new(format!("token-{number}"))
}

fn counting() -> (SharedTokens, Arc<AtomicUsize>) {
    let count = Arc::default();
    (SharedTokens::new(Arc::new(Counting(Arc::clone(&count)))), count)
}

fn request(channel: &str, socket_id: &str) -> EndpointRequest {
    let channel = Some(ChannelName::parse(channel).unwrap());
    EndpointRequest { socket_id: SocketId::parse(socket_id).unwrap(), channel }
}

/// Has every token of one request refused with `status`.
async fn refused(tokens: &SharedTokens, channel: &str, socket_id: &str, status: StatusCode) {
    let request = request(channel, socket_id);
    let mut present = tokens.present().await.unwrap();
    if let Some(newer) = tokens.after_refusal(&present, &request, Some(status)).await.unwrap() {
        present.token = newer;
    }
    tokens.heard(&request, &present.token, status);
}

const DENIED: StatusCode = StatusCode::UNAUTHORIZED;

// A01, I19: a thousand channels that are all refused do not ask for a thousand tokens.
#[tokio::test(start_paused = true)]
async fn a_token_that_never_worked_is_replaced_once_on_its_socket() {
    let (tokens, refreshes) = counting();
    for number in 0..20 {
        refused(&tokens, &format!("private-{number}"), "1.1", DENIED).await;
    }
    assert_eq!(refreshes.load(Ordering::SeqCst), 1);
    refused(&tokens, "private-0", "2.2", DENIED).await;
    assert_eq!(refreshes.load(Ordering::SeqCst), 2);
    tokio::time::advance(Duration::from_secs(3600)).await;
    refused(&tokens, "private-0", "2.2", DENIED).await;
    assert_eq!(refreshes.load(Ordering::SeqCst), 3, "an hour later it is not fresh any more");
}

// A01, S01: a channel that belongs to someone else does not cost a token at each try.
#[tokio::test(start_paused = true)]
async fn a_channel_that_stays_forbidden_with_a_fresh_token_asks_for_no_other_on_that_socket() {
    let (tokens, refreshes) = counting();
    for _ in 0..5 {
        refused(&tokens, "private-forbidden", "1.1", StatusCode::FORBIDDEN).await;
        let present = tokens.present().await.unwrap();
        tokens.heard(&request("private-allowed", "1.1"), &present.token, StatusCode::OK);
        tokio::time::advance(Duration::from_secs(300)).await;
    }
    assert_eq!(refreshes.load(Ordering::SeqCst), 1);
    // The other one, whose token has worked until now, gets a new one; the forbidden one does when it was allowed once.
    refused(&tokens, "private-allowed", "1.1", StatusCode::FORBIDDEN).await;
    assert_eq!(refreshes.load(Ordering::SeqCst), 2);
    let present = tokens.present().await.unwrap();
    tokens.heard(&request("private-forbidden", "1.1"), &present.token, StatusCode::OK);
    refused(&tokens, "private-forbidden", "1.1", StatusCode::FORBIDDEN).await;
    assert_eq!(refreshes.load(Ordering::SeqCst), 3);
}

// I19: who was refused while the new token was on its way takes that one, whichever it was refused with.
#[tokio::test(start_paused = true)]
async fn a_refusal_that_comes_late_takes_the_token_that_is_there_already() {
    let (tokens, refreshes) = counting();
    let slow = tokens.present().await.unwrap();
    refused(&tokens, "private-a", "1.1", DENIED).await;
    let newer = tokens.after_refusal(&slow, &request("private-b", "1.1"), Some(DENIED)).await.unwrap();
    assert_eq!(newer, Some(numbered(1)));
    assert_eq!(refreshes.load(Ordering::SeqCst), 1);
}

// One refresh at a time, also for who asks as for any provider, such as the REST companion.
#[tokio::test(start_paused = true)]
async fn who_asks_as_for_any_provider_shares_the_refresh() {
    let (tokens, refreshes) = counting();
    let rejected = numbered(0);
    let (one, two) = tokio::join!(tokens.refresh(&rejected), tokens.refresh(&rejected));
    assert_eq!((one.unwrap(), two.unwrap()), (numbered(1), numbered(1)));
    assert_eq!(tokens.refresh(&numbered(0)).await.unwrap(), numbered(1), "it is known by now");
    assert_eq!(refreshes.load(Ordering::SeqCst), 1);
    assert_eq!(tokens.refresh(&numbered(1)).await.unwrap(), numbered(2));
}

// A02, A03: whoever waits is told, and whoever asks next does not wait for what hangs.
#[tokio::test(start_paused = true)]
async fn a_refresh_that_hangs_is_given_up_after_half_a_minute_and_begun_anew() {
    struct Hanging(Arc<AtomicUsize>);
    impl TokenProvider for Hanging {
        async fn token(&self) -> Result<Secret, TokenError> {
            Ok(numbered(0))
        }
        async fn refresh(&self, _: &Secret) -> Result<Secret, TokenError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            std::future::pending().await
        }
    }
    let asked = Arc::<AtomicUsize>::default();
    let tokens = SharedTokens::new(Arc::new(Hanging(Arc::clone(&asked))));
    let started = Instant::now();
    for times in 1..=2_u8 {
        let present = tokens.present().await.unwrap();
        let asker = request("private-a", "1.1");
        let newer = tokens.after_refusal(&present, &asker, Some(DENIED));
        let newer = tokio::time::timeout(FRESH * 10, newer).await.expect("it is not given up");
        assert!(matches!(newer, Err(TokenError::Unavailable { .. })), "{newer:?}");
        assert_eq!(started.elapsed().as_secs(), 30 * u64::from(times));
        assert_eq!(asked.load(Ordering::SeqCst), usize::from(times));
    }
}
