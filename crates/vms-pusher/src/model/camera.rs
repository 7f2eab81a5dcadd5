use super::{model, wire_enum};
use crate::time::VmsTime;

model! {
    /// A camera.
    pub struct VmsCamera {
        required {
            /// The camera's id.
            id: i64 = "id",
        }
        optional {
            /// The camera's name.
            name: String = "name",
            /// Whether it records and shows.
            status: VmsCameraStatus = "status",
            /// Since when there is an archive.
            start_at: VmsTime = "start_at",
            /// Whether the user has marked it as a favourite.
            is_favorite: bool = "is_favorite",
            /// Whether the user may not see it live.
            is_restricted_live: bool = "is_restricted_live",
            /// Whether the user may not see its archive.
            is_restricted_archive: bool = "is_restricted_archive",
            /// Whether it is connected through a bridge on the customer's premises.
            is_bridge: bool = "is_bridge",
            /// Whether the user may use it.
            user_status: VmsUserStatus = "user_status",
            /// Name and address as people read them.
            pretty_text: String = "pretty_text",
            /// The video streams it offers.
            streams: Vec<VmsStream> = "streams",
            /// What it can do besides video.
            services: VmsCameraServices = "services",
            /// The time ranges in its archive.
            archive_ranges: Vec<VmsArchiveRange> = "archive_ranges",
        }
    }
}

model! {
    /// What a camera can do besides video.
    pub struct VmsCameraServices {
        optional {
            /// Whether it can pan, tilt and zoom.
            ptz: bool = "ptz",
            /// Whether it detects motion.
            motion_detect: bool = "motion_detect",
        }
    }
}

model! {
    /// A time range in an archive.
    pub struct VmsArchiveRange {
        optional {
            /// Its start, in seconds since 1970-01-01T00:00:00Z.
            from: i64 = "from",
            /// Its length in seconds.
            duration: i64 = "duration",
            /// Its end, in seconds since 1970-01-01T00:00:00Z; when missing, `from + duration`.
            end: i64 = "end",
        }
    }
}

model! {
    /// One video stream of a camera.
    pub struct VmsStream {
        required {
            /// The stream's id.
            id: i64 = "id",
        }
        optional {
            /// Which of the camera's qualities it is (`type` on the wire).
            kind: VmsStreamQuality = "type",
            /// Whether it can be played.
            status: VmsStreamStatus = "status",
            /// Whether it carries sound.
            has_sound: bool = "has_sound",
            /// Its video codec.
            video_codec: VmsVideoCodec = "video_codec",
        }
    }
}

model! {
    /// A group of cameras, made by a user.
    pub struct VmsCameraGroup {
        required {
            /// The group's id.
            id: i64 = "id",
        }
        optional {
            /// The group's name.
            name: String = "name",
            /// The cameras in it.
            items: Vec<VmsCamera> = "items",
            /// How many cameras are in it.
            items_count: i64 = "items_count",
            /// Pictures of the first of its cameras.
            previews: Vec<VmsCameraPreview> = "previews",
        }
    }
}

model! {
    /// The latest picture of a camera.
    pub struct VmsCameraPreview {
        optional {
            /// The camera's id.
            camera_id: i64 = "camera_id",
            /// The address of the picture.
            preview: String = "preview",
            /// Whether the user may see it.
            status: VmsUserStatus = "status",
        }
    }
}

wire_enum! {
    /// Whether a camera records and shows.
    pub enum VmsCameraStatus {
        /// It works.
        Active = "active",
        /// It does not.
        Inactive = "inactive",
        /// Some of its streams work.
        Partial = "partial",
        /// It has no streams.
        Empty = "empty",
        /// It has not been started yet.
        Initial = "initial",
    }
}

wire_enum! {
    /// Whether a user may use a camera.
    pub enum VmsUserStatus {
        /// The user may.
        Active = "active",
        /// The user may not.
        Blocked = "blocked",
    }
}

wire_enum! {
    /// A stream's quality.
    pub enum VmsStreamQuality {
        /// Full quality.
        High = "high",
        /// Reduced quality, for small pictures and slow networks.
        Low = "low",
    }
}

wire_enum! {
    /// Whether a stream can be played.
    pub enum VmsStreamStatus {
        /// It can.
        Active = "active",
        /// It cannot.
        Inactive = "inactive",
        /// The server does not know: the word `NULL` on the wire.
        Null = "NULL",
    }
}

wire_enum! {
    /// A stream's video codec.
    pub enum VmsVideoCodec {
        /// H.264 (AVC).
        H264 = "H264",
        /// H.265 (HEVC).
        H265 = "H265",
    }
}
