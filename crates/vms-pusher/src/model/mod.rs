//! The objects that pushes carry.
//!
//! Every field but the one that identifies an object may be missing. A field whose value is of a wrong type is empty,
//! and so is a list with an element that cannot be read: `None` means that the server has to be asked, an empty list
//! that there is nothing. Unknown keys are skipped; when a key occurs twice, the last one counts. In JSON, a field
//! has the key that it has on the wire, and an empty field is left out.

mod analytics;
mod camera;
mod define;
mod event;
mod intercom;
#[cfg(test)]
mod tests;
mod user;

pub use analytics::{VmsAnalyticCase, VmsAnalyticEvent, VmsAnalyticFile, VmsAnalyticGroup};
pub use camera::{
    VmsArchiveRange, VmsCamera, VmsCameraGroup, VmsCameraPreview, VmsCameraServices, VmsCameraStatus, VmsStream,
    VmsStreamQuality, VmsStreamStatus, VmsUserStatus, VmsVideoCodec,
};
pub use event::VmsEvent;
pub use intercom::{
    VmsAnswerDevice, VmsCallStatus, VmsCanceledCall, VmsIntercom, VmsIntercomCall, VmsIntercomCamera, VmsIntercomCode,
    VmsIntercomStatus, VmsNotification, VmsTimetable, VmsTimetableDay, VmsTimetableDayType, VmsTimetableInterval,
};
pub use user::VmsUser;

pub(crate) use define::{model, wire_enum};
