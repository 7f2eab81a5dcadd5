use super::model;
use crate::time::VmsTime;

model! {
    /// A configured analysis, such as "faces at the front door".
    pub struct VmsAnalyticCase {
        required {
            /// The case's id.
            id: i64 = "id",
        }
        optional {
            /// The title given by its owner.
            title: String = "title",
            /// The colour it is shown in, such as `#ff8800`.
            color: String = "color",
            /// What is analysed, such as `face` (`type` on the wire).
            kind: String = "type",
            /// `kind` as people read it.
            type_pretty: String = "type_pretty",
            /// When the case was created.
            created_at: VmsTime = "created_at",
            /// What the case can find.
            available_events: Vec<VmsAnalyticEvent> = "available_events",
        }
    }
}

model! {
    /// What an analysis can find, or has found: "known face", "smoke".
    pub struct VmsAnalyticEvent {
        required {
            /// The id of the finding's kind.
            id: i64 = "id",
        }
        optional {
            /// Its name in the system.
            name: String = "name",
            /// The colour it is shown in.
            color: String = "color",
            /// The analysis it belongs to.
            analytic_type: String = "analytic_type",
            /// What it means, as people read it.
            description: String = "description",
        }
    }
}

model! {
    /// A file that an analysis compares with, such as the photo of a known face.
    pub struct VmsAnalyticFile {
        required {
            /// The file's id.
            id: i64 = "id",
        }
        optional {
            /// The file's name.
            name: String = "name",
            /// The file's kind (`type` on the wire).
            kind: String = "type",
            /// `kind` as people read it.
            type_pretty: String = "type_pretty",
            /// The file's UUID.
            uuid: String = "uuid",
            /// The address of the file: absolute, even if the server sent it relative to its base URL. It is data
            /// from the server; this crate never fetches it.
            url: String = "url",
            /// The text that goes with the file.
            body: String = "body",
            /// When the file was created.
            created_at: VmsTime = "created_at",
            /// When the file was last changed.
            updated_at: VmsTime = "updated_at",
        }
    }
}

model! {
    /// A group of analytic files, such as "employees".
    pub struct VmsAnalyticGroup {
        required {
            /// The group's id.
            id: i64 = "id",
        }
        optional {
            /// The group's name.
            name: String = "name",
            /// The group's kind (`type` on the wire).
            kind: String = "type",
            /// `kind` as people read it.
            type_pretty: String = "type_pretty",
        }
    }
}
