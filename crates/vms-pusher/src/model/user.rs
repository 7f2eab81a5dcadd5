use super::model;

model! {
    /// A person with an account on the VMS.
    pub struct VmsUser {
        required {
            /// The user's id.
            id: i64 = "id",
        }
        optional {
            /// The name as people read it.
            name: String = "name",
            /// The name used to log in.
            login: String = "login",
            /// The user's e-mail address.
            email: String = "email",
            /// The user's phone number.
            phone: String = "phone",
            /// The id of the login session's access token; it names the session's channel and is not a secret.
            access_token_id: String = "access_token_id",
        }
    }
}
