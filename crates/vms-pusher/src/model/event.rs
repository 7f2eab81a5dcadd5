use super::{VmsAnalyticCase, VmsAnalyticEvent, VmsAnalyticFile, VmsAnalyticGroup, VmsCamera, VmsUser, model};
use crate::time::VmsTime;

model! {
    /// Something that happened at a camera: a user's mark, or a finding of analytics.
    #[doc(alias = "VMSEvent")]
    pub struct VmsEvent {
        required {
            /// The event's id.
            id: i64 = "id",
        }
        optional {
            /// The title given by a person.
            title: String = "title",
            /// What it is: `mark` for a user's own mark, otherwise the analysis (`type` on the wire). When the server
            /// leaves it out, `case_type` is used.
            kind: String = "type",
            /// `kind` as people read it.
            type_pretty: String = "type_pretty",
            /// When it began.
            from: VmsTime = "from",
            /// When it ended.
            to: VmsTime = "to",
            /// When it was stored.
            created_at: VmsTime = "created_at",
            /// Whether this user may delete it.
            can_delete: bool = "can_delete",
            /// The camera it happened at.
            camera: Box<VmsCamera> = "camera",
            /// The id of that camera.
            camera_id: i64 = "camera_id",
            /// Its name in the system.
            name: String = "name",
            /// Who made it.
            user: Box<VmsUser> = "user",
            /// The address of its picture.
            preview_url: String = "preview_url",
            /// The analysis that found it. When the server leaves it out, it is made from `case_type` and
            /// `analytic_case_id`.
            analytic_case: Box<VmsAnalyticCase> = "analytic_case",
            /// The file that it was matched with.
            analytic_file: Box<VmsAnalyticFile> = "analytic_file",
            /// The group of the file that it was matched with.
            analytic_group: Box<VmsAnalyticGroup> = "analytic_group",
            /// What was found.
            event: Box<VmsAnalyticEvent> = "event",
            /// The address of the cropped picture.
            crop: String = "crop",
            /// How well it matched.
            similarity: f64 = "similarity",
            /// How many were counted.
            rect: i64 = "rect",
            /// The license plate that was read.
            license_plate: String = "license_plate",
            /// The container number that was read.
            container_code: String = "container_code",
            /// The size and type code that was read on the container.
            container_dims_code: String = "container_dims_code",
            /// The event's UUID.
            uuid: String = "uuid",
            /// Whether it belongs to an intercom.
            is_intercom: bool = "is_intercom",
            /// The kind of the analysis, in pushes that leave out `analytic_case`.
            case_type: String = "case_type",
            /// The id of the analysis, in pushes that leave out `analytic_case`.
            analytic_case_id: i64 = "analytic_case_id",
        }
    }
}

impl VmsEvent {
    /// Returns whether it is a user's own mark.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("mark"))
    }

    /// Fills in what the server left to be derived, and makes the file's URL absolute.
    pub(crate) fn complete(&mut self, base_url: &str) {
        if let (None, Some(case_type), Some(id)) = (&self.analytic_case, &self.case_type, self.analytic_case_id) {
            let case = VmsAnalyticCase { id, kind: Some(case_type.clone()), ..VmsAnalyticCase::default() };
            self.analytic_case = Some(Box::new(case));
            self.kind = self.kind.take().or_else(|| self.case_type.clone());
        }
        if let Some(url) = self.analytic_file.as_mut().and_then(|file| file.url.as_mut()) {
            if url.starts_with("//") {
                // Another host, reached as the base URL is.
                url.insert_str(0, scheme(base_url));
            } else if url.starts_with('/') {
                url.insert_str(0, base_url);
            }
        }
    }
}

/// Returns the scheme with its colon, or nothing when there is none.
fn scheme(base_url: &str) -> &str {
    base_url.find("://").and_then(|end| base_url.get(..=end)).unwrap_or_default()
}
