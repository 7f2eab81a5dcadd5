//! The names that pushes have on the wire.

use crate::model::wire_enum;

/// The event name of a push to one login session.
pub const TOKEN_PUSH: &str = r"App\Events\TokenPush";
/// The event name of a push to a user, in all sessions.
pub const USER_PUSH: &str = r"App\Events\UserPush";
/// The event name of a notification, which is how pushes about intercoms are sent.
pub const BROADCAST_NOTIFICATION: &str = r"Illuminate\Notifications\Events\BroadcastNotificationCreated";

wire_enum! {
    /// The type of a push about the app itself, inside [`TOKEN_PUSH`] and [`USER_PUSH`].
    #[doc(alias = "VMSAppSocketType")]
    pub enum VmsAppSocketType {
        /// Cameras were added to the user's account or removed from it.
        CamerasUpdated = "cameras_updated",
        /// A camera became a favourite.
        FavoriteCameraStored = "camera.store_favorite",
        /// A camera is no longer a favourite.
        FavoriteCameraDestroyed = "camera.destroy_favorite",
        /// The user's permissions changed.
        PermissionsUpdated = "permissions_updated",
        /// The user's layouts changed.
        LayoutsUpdated = "layouts_updated",
        /// The user's camera groups changed.
        GroupsUpdated = "groups_updated",
        /// A camera group was created.
        GroupsCreated = "groups_created",
        /// Camera groups were deleted.
        GroupsDeleted = "groups_deleted",
        /// A change of a camera's groups was carried out.
        CameraGroupsSynced = "camera_groups_synced",
        /// A mark was created.
        MarkCreated = "mark_created",
        /// A mark was changed.
        MarkUpdated = "mark_updated",
        /// A mark was deleted.
        MarkDeleted = "mark_deleted",
        /// An archive download is ready, or could not be made.
        ArchiveGenerated = "archive_generated",
        /// The session was ended.
        Logout = "logout",
        /// Motion was detected.
        AnalyticCaseMotionDetectEventCreated = "analytic_case_motion_detect_event_created",
        /// A line was crossed.
        AnalyticCaseLineIntersectionEventCreated = "analytic_case_line_intersection_event_created",
        /// Smoke or fire was seen.
        AnalyticCaseSmokeFireEventCreated = "analytic_case_smoke_fire_event_created",
        /// A loud sound was heard.
        AnalyticCaseLoudSoundEventCreated = "analytic_case_loud_sound_event_created",
        /// The camera was covered or turned away.
        AnalyticCaseCameraObstacleEventCreated = "analytic_case_camera_obstacle_event_created",
        /// A face was seen.
        AnalyticCaseFaceEventCreated = "analytic_case_face_event_created",
        /// A license plate was read.
        AnalyticCaseLicensePlateEventCreated = "analytic_case_license_plate_event_created",
        /// People were counted.
        AnalyticCasePersonCountingEventCreated = "analytic_case_person_counting_event_created",
        /// Visitors were counted.
        AnalyticCaseVisitorCountingEventCreated = "analytic_case_visitor_counting_event_created",
        /// A container's number was read.
        AnalyticCaseContainerNumberRecognitionEventCreated = "analytic_case_container_number_recognition_event_created",
    }
}

wire_enum! {
    /// The type of a push about intercoms, inside [`BROADCAST_NOTIFICATION`].
    #[doc(alias = "VMSIntercomPushTypes")]
    pub enum VmsIntercomPushType {
        /// An intercom was added.
        Store = "intercom.store",
        /// An intercom was renamed.
        Rename = "intercom.rename",
        /// An intercom was changed.
        Update = "intercom.update",
        /// Intercoms were removed.
        Delete = "intercom.delete",
        /// An intercom's key was confirmed.
        KeyConfirmed = "intercom.key_confirmed",
        /// An intercom's key was rejected.
        KeyError = "intercom.key_error",
        /// An intercom could not be added.
        AddError = "intercom.add_error",
        /// A visitor code was created.
        CodeStore = "intercom.code.store",
        /// Visitor codes were deleted.
        CodeDelete = "intercom.code.delete",
        /// A call came in or changed.
        CallStore = "intercom.call.store",
        /// Calls were deleted from the list.
        CallDelete = "intercom.call.delete",
        /// A call was cancelled at the door. It may come under any of the three event names.
        CancelCall = "intercom_cancel",
        /// A face was seen at the door.
        EventStore = "analytic_case_face_event_created",
    }
}

wire_enum! {
    /// Whether what a push reports succeeded.
    pub enum VmsPushStatus {
        /// It succeeded.
        Ok = "ok",
        /// It failed.
        Error = "error",
    }
}
