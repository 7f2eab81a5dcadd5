use super::reader::{Read, Reader};

macro_rules! messages {
    ($($name:ident { $($key:literal $field:ident : $kind:ty,)* })*) => {
        $(
            #[derive(Debug, Default)]
            #[allow(dead_code, reason = "a consumer would read the fields")]
            pub(super) struct $name {
                $($field: $kind,)*
            }

            impl Read for $name {
                fn read(reader: &mut Reader<'_>) -> Option<Self> {
                    let mut value = Self::default();
                    reader.object(|reader, key| {
                        match key {
                            $($key => value.$field = Read::read(reader)?,)*
                            _ => reader.skip()?,
                        }
                        Some(())
                    })?;
                    Some(value)
                }
            }
        )*
    };
}

messages! {
    Favorite {
        "camera_id" camera_id: i64,
        "order" order: Option<i64>,
        "name" name: Option<String>,
        "is_favorite" is_favorite: Option<bool>,
    }
    Mark {
        "id" id: i64,
        "type" kind: Option<String>,
        "from" from: Option<String>,
        "to" to: Option<String>,
        "can_delete" can_delete: Option<bool>,
        "camera" camera: Option<Box<Camera>>,
        "title" title: Option<String>,
        "name" name: Option<String>,
        "preview_url" preview_url: Option<String>,
        "uuid" uuid: Option<String>,
    }
    Camera {
        "id" id: i64,
        "name" name: Option<String>,
        "status" status: Option<String>,
        "start_at" start_at: Option<String>,
        "is_favorite" is_favorite: Option<bool>,
        "is_restricted_live" is_restricted_live: Option<bool>,
        "is_restricted_archive" is_restricted_archive: Option<bool>,
        "is_bridge" is_bridge: Option<bool>,
        "user_status" user_status: Option<String>,
        "pretty_text" pretty_text: Option<String>,
        "streams" streams: Vec<Stream>,
        "services" services: Services,
        "archive_ranges" archive_ranges: Vec<Range>,
    }
    Stream {
        "id" id: i64,
        "type" kind: Option<String>,
        "status" status: Option<String>,
        "has_sound" has_sound: Option<bool>,
        "video_codec" video_codec: Option<String>,
    }
    Services {
        "ptz" ptz: Option<bool>,
        "motion_detect" motion_detect: Option<bool>,
    }
    Range {
        "from" from: Option<i64>,
        "duration" duration: Option<i64>,
        "end" end: Option<i64>,
    }
    Call {
        "id" id: i64,
        "status" status: Option<String>,
        "type" kind: Option<String>,
        "mark_type" mark_type: Option<String>,
        "started_at" started_at: Option<String>,
        "created_at" created_at: Option<String>,
        "ended_at" ended_at: Option<String>,
        "intercom" intercom: Option<Box<Intercom>>,
    }
    Intercom {
        "id" id: i64,
        "title" title: Option<String>,
        "address" address: Option<String>,
        "is_enabled" is_enabled: Option<bool>,
        "status" status: Option<String>,
        "is_online" is_online: Option<bool>,
    }
}

/// One of the three messages.
#[derive(Debug)]
#[expect(dead_code, reason = "a consumer would read them")]
pub(super) enum Message {
    Favorite(Favorite),
    Mark(Box<Mark>),
    Call(Box<Call>),
}

impl Message {
    pub(super) fn parse(event: &str, data: &str) -> Option<Self> {
        let mut reader = Reader::new(data);
        if event == "App\\\\Events\\\\UserPush" {
            return Self::push(&mut reader);
        }
        // The `type` comes last, but it is all that could be said about this message: a call is read where it stands.
        let mut call = None;
        let mut is_call = false;
        reader.object(|reader, key| {
            match key {
                "intercom_call" => call = Some(Box::new(Call::read(reader)?)),
                "type" => is_call = reader.borrowed()? == "intercom.call.store",
                _ => reader.skip()?,
            }
            Some(())
        })?;
        call.filter(|_| is_call).map(Self::Call)
    }

    fn push(reader: &mut Reader<'_>) -> Option<Self> {
        let mut message = None;
        reader.object(|reader, key| {
            if key != "data" {
                return reader.skip();
            }
            let mut kind = "";
            reader.object(|reader, key| {
                match key {
                    "type" => kind = reader.borrowed()?,
                    "data" => {
                        message = Some(match kind {
                            "camera.store_favorite" => Self::Favorite(Favorite::read(reader)?),
                            "mark_created" => Self::Mark(Box::new(Mark::read(reader)?)),
                            _ => return None,
                        });
                    }
                    _ => reader.skip()?,
                }
                Some(())
            })
        })?;
        message
    }
}
