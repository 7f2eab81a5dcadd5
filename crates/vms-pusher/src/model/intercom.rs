use super::{VmsCameraStatus, VmsUserStatus, model, wire_enum};
use crate::time::VmsTime;

model! {
    /// An intercom at a door.
    #[doc(alias = "VMSIntercom")]
    pub struct VmsIntercom {
        required {
            /// The intercom's id.
            id: i64 = "id",
        }
        optional {
            /// The title given by its user.
            title: String = "title",
            /// The number of the flat or office.
            department: i64 = "department",
            /// Where it is.
            address: String = "address",
            /// Whether calls reach this app.
            is_enabled: bool = "is_enabled",
            /// Its camera.
            camera: Box<VmsIntercomCamera> = "camera",
            /// How far linking it to the user has progressed.
            status: VmsIntercomStatus = "status",
            /// When calls are let through.
            timetable: Box<VmsTimetable> = "timetable",
            /// Whether it is connected.
            is_online: bool = "is_online",
            /// Whether it recognises faces.
            is_analytic_available: bool = "is_analytic_available",
            /// Where calls may be answered.
            available_answer_devices: Vec<VmsAnswerDevice> = "available_answer_devices",
            /// Whether calls reach the landline.
            is_landline_sip_line_available: bool = "is_landline_sip_line_available",
            /// Whether calls reach the analogue handset.
            is_analog_line_available: bool = "is_analog_line_available",
            /// Whether a code opens the door.
            is_open_door_code: bool = "is_open_door_code",
            /// Whether a face opens the door.
            is_open_door_face: bool = "is_open_door_face",
            /// Whether the app opens the door.
            is_open_door_app: bool = "is_open_door_app",
        }
    }
}

model! {
    /// The camera of an intercom.
    pub struct VmsIntercomCamera {
        required {
            /// The camera's id.
            id: i64 = "id",
        }
        optional {
            /// The id of its group.
            group_id: i64 = "group_id",
            /// Whether it records and shows.
            status: VmsCameraStatus = "status",
            /// Since when there is an archive.
            start_at: VmsTime = "start_at",
            /// When it was created.
            created_at: VmsTime = "created_at",
            /// Its name as people read it.
            pretty_name: String = "pretty_name",
            /// Whether it is connected through a bridge on the customer's premises.
            is_bridge: bool = "is_bridge",
            /// Whether the user has marked it as a favourite.
            is_favorite: bool = "is_favorite",
            /// Whether the user may not see it live.
            is_restricted_live: bool = "is_restricted_live",
            /// Whether the user may not see its archive.
            is_restricted_archive: bool = "is_restricted_archive",
            /// Whether the user may use it.
            user_status: VmsUserStatus = "user_status",
            /// Its name.
            name: String = "name",
        }
    }
}

model! {
    /// When an intercom lets calls through.
    pub struct VmsTimetable {
        optional {
            /// By day.
            days: Vec<VmsTimetableDay> = "days",
            /// By time range.
            intervals: Vec<VmsTimetableInterval> = "intervals",
        }
    }
}

model! {
    /// One day of a timetable.
    pub struct VmsTimetableDay {
        optional {
            /// Which day (`type` on the wire).
            kind: VmsTimetableDayType = "type",
            /// From when, a time of day as the server writes it.
            from: String = "from",
            /// Until when, a time of day as the server writes it.
            to: String = "to",
        }
    }
}

model! {
    /// One time range of a timetable.
    pub struct VmsTimetableInterval {
        optional {
            /// From when, as the server writes it.
            from: String = "from",
            /// Until when, as the server writes it.
            to: String = "to",
        }
    }
}

model! {
    /// A code that opens a door for a visitor.
    #[doc(alias = "VMSIntercomCode")]
    pub struct VmsIntercomCode {
        required {
            /// The code's id.
            id: i64 = "id",
        }
        optional {
            /// The title given by its user.
            title: String = "title",
            /// The digits to enter.
            code: String = "code",
            /// Until when it opens; a code without it does not expire.
            expired_at: VmsTime = "expired_at",
            /// When it was created.
            created_at: VmsTime = "created_at",
            /// Whether it no longer opens.
            is_expired: bool = "is_expired",
            /// When it will be deleted.
            will_deleted_at: VmsTime = "will_deleted_at",
            /// The intercom it is for.
            intercom: Box<VmsIntercom> = "intercom",
        }
    }
}

model! {
    /// A call from an intercom.
    #[doc(alias = "VMSIntercomCall")]
    pub struct VmsIntercomCall {
        required {
            /// The call's id.
            id: i64 = "id",
        }
        optional {
            /// The state of the call.
            status: VmsCallStatus = "status",
            /// The call's kind (`type` on the wire).
            kind: String = "type",
            /// The kind of the mark in the archive that belongs to the call.
            mark_type: String = "mark_type",
            /// When it began to ring.
            started_at: VmsTime = "started_at",
            /// When it was stored.
            created_at: VmsTime = "created_at",
            /// When it ended.
            ended_at: VmsTime = "ended_at",
            /// The intercom that called.
            intercom: Box<VmsIntercom> = "intercom",
        }
    }
}

model! {
    /// A call that was cancelled at the door. Nothing in it is required: a phone must stop ringing whatever is missing.
    #[doc(alias = "VMSCanceledCall")]
    pub struct VmsCanceledCall {
        optional {
            /// The intercom's id.
            id: i64 = "id",
            /// The intercom's title.
            title: String = "title",
            /// The intercom's address.
            address: String = "address",
            /// The call's id.
            call_id: i64 = "call_id",
            /// The address of the video.
            video_url: String = "video_url",
            /// When the call was stored.
            call_created_at: VmsTime = "call_created_at",
            /// The id of the intercom's camera.
            camera_id: i64 = "camera_id",
            /// The kind of the mark in the archive that belongs to the call.
            mark_type: String = "mark_type",
            /// Whether the app opens the door.
            is_open_door_app: bool = "is_open_door_app",
        }
    }
}

model! {
    /// The text of a notification for a person.
    pub struct VmsNotification {
        optional {
            /// Its headline.
            title: String = "title",
            /// What it says.
            body: String = "body",
        }
    }
}

wire_enum! {
    /// How far linking an intercom to its user has progressed.
    pub enum VmsIntercomStatus {
        /// The key was confirmed; written `key_confirmed`, read also as `keyConfirmed`.
        KeyConfirmed = "key_confirmed" | "keyConfirmed",
        /// The intercom was confirmed.
        Confirmed = "confirmed",
    }
}

wire_enum! {
    /// Where a call may be answered. The server names each after the switch that allows it.
    pub enum VmsAnswerDevice {
        /// In the app.
        App = "is_enabled",
        /// On the landline.
        Landline = "is_landline_sip_line_available",
        /// On the analogue handset.
        Analog = "is_analog_line_available",
    }
}

wire_enum! {
    /// Which day an entry of a timetable is for.
    pub enum VmsTimetableDayType {
        /// Mondays.
        Monday = "monday",
        /// Tuesdays.
        Tuesday = "tuesday",
        /// Wednesdays.
        Wednesday = "wednesday",
        /// Thursdays.
        Thursday = "thursday",
        /// Fridays.
        Friday = "friday",
        /// Saturdays.
        Saturday = "saturday",
        /// Sundays.
        Sunday = "sunday",
        /// Every day.
        SameEveryDay = "same_every_day",
    }
}

wire_enum! {
    /// The state of a call.
    pub enum VmsCallStatus {
        /// Nobody answered.
        Missed = "missed",
        /// It is ringing.
        Ring = "ring",
        /// It is over.
        Ended = "ended",
        /// It was answered.
        Answered = "answered",
    }
}
