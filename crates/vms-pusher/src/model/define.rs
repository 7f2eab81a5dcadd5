//! The two macros that define the models, so that a field or a value is written once.

/// Defines a struct whose fields are read leniently, and written under the key beside each.
///
/// A `required` field identifies the object: without it there is no object. Every other field is an `Option`.
macro_rules! model {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( required { $( $(#[$required_meta:meta])* $required:ident: $required_ty:ty = $required_key:literal, )* } )?
            $( optional { $( $(#[$optional_meta:meta])* $optional:ident: $optional_ty:ty = $optional_key:literal, )* } )?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
        $vis struct $name {
            $($(
                $(#[$required_meta])*
                #[serde(rename = $required_key)]
                $vis $required: $required_ty,
            )*)?
            $($(
                $(#[$optional_meta])*
                #[serde(rename = $optional_key, skip_serializing_if = "Option::is_none")]
                $vis $optional: Option<$optional_ty>,
            )*)?
        }

        const _: () = {
            use $crate::lenient::{self, Defect, Key, KeySeed, Lenient, Model, Read, Source};
            use $crate::quoted::{self, Reader, Strict, StrictModel, Token, Unfit};

            #[derive(Clone, Copy)]
            #[expect(non_camel_case_types, reason = "named after the fields")]
            enum Member { $($($required,)*)? $($($optional,)*)? Other }

            impl Key for Member {
                fn parse(key: &str) -> Self {
                    match key {
                        $($( $required_key => Self::$required, )*)?
                        $($( $optional_key => Self::$optional, )*)?
                        _ => Self::Other,
                    }
                }
            }

            impl<'de> Model<'de> for $name {
                fn fill<A: serde::de::MapAccess<'de>, S: Source>(
                    &mut self,
                    mut map: A,
                ) -> Result<Option<Defect>, A::Error> {
                    $($( let mut $required = Read::<$required_ty>::Missing; )*)?
                    while let Some(member) = map.next_key_seed(KeySeed::<Member>::NEW)? {
                        match member {
                            $($( Member::$required => $required = map.next_value_seed(lenient::field::<_, S>())?, )*)?
                            $($( Member::$optional => {
                                self.$optional = map.next_value_seed(lenient::field::<_, S>())?.value();
                            } )*)?
                            Member::Other => { map.next_value::<serde::de::IgnoredAny>()?; }
                        }
                    }
                    $($(
                        match $required.required() {
                            Ok(value) => self.$required = value,
                            Err(defect) => return Ok(Some(Defect { key: $required_key, reason: defect.reason })),
                        }
                    )*)?
                    Ok(None)
                }
            }

            impl StrictModel for $name {
                fn fill_strictly(&mut self, reader: &mut Reader<'_>) -> Result<(), Unfit> {
                    static KEYS: &[Token] =
                        &[$($( Token::of($required_key), )*)? $($( Token::of($optional_key), )*)?];
                    static MEMBERS: &[Member] =
                        &[$($( Member::$required, )*)? $($( Member::$optional, )*)? Member::Other];
                    $($( let mut $required: Option<$required_ty> = None; )*)?
                    let (mut more, mut next) = (reader.open_object()?, 0);
                    while more {
                        let member = match reader.next_key(KEYS, next) {
                            Some(place) => *MEMBERS.get(place).unwrap_or(&Member::Other),
                            None => Member::parse(reader.key()?),
                        };
                        next = member as usize + 1;
                        match member {
                            $($( Member::$required => $required = Some(Strict::strict(reader)?), )*)?
                            $($( Member::$optional => self.$optional = quoted::optional(reader)?, )*)?
                            Member::Other => reader.skip()?,
                        }
                        more = reader.next_member()?;
                    }
                    $($( self.$required = $required.ok_or(Unfit)?; )*)?
                    Ok(())
                }
            }

            impl Strict for $name {
                fn strict(reader: &mut Reader<'_>) -> Result<Self, Unfit> {
                    let mut model = Self::default();
                    model.fill_strictly(reader)?;
                    Ok(model)
                }
            }

            impl<'de> Lenient<'de> for $name {
                const DEFECT: &'static str = lenient::NOT_AN_OBJECT;

                fn from_seq<A: serde::de::SeqAccess<'de>, S: Source>(seq: A) -> Result<Read<Self>, A::Error> {
                    lenient::model_from_seq(seq)
                }

                fn from_map<A: serde::de::MapAccess<'de>, S: Source>(map: A) -> Result<Read<Self>, A::Error> {
                    let mut model = Self::default();
                    Ok(model.fill::<A, S>(map)?.map_or(Read::Value(model), Read::Bad))
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    lenient::deserialize(deserializer)
                }
            }

            #[cfg(test)]
            impl $crate::shape::Shaped for $name {
                const SHAPE: $crate::shape::Shape = $crate::shape::Shape::Object(&$crate::shape::Object {
                    name: stringify!($name),
                    members: &[
                        $($( ($required_key, true, <$required_ty as $crate::shape::Shaped>::SHAPE), )*)?
                        $($( ($optional_key, false, <$optional_ty as $crate::shape::Shaped>::SHAPE), )*)?
                    ],
                    read: $crate::shape::read_both_ways::<Self>,
                });
            }

            #[cfg(test)]
            impl $crate::sample::Sample for $name {
                fn sample(random: &mut fastrand::Rng) -> Self {
                    Self {
                        $($( $required: $crate::sample::Sample::sample(random), )*)?
                        $($( $optional: $crate::sample::Sample::sample(random), )*)?
                    }
                }
            }
        };
    };
}

/// Defines an enumeration of strings. Reading disregards ASCII case; the first text beside a value is the one written.
macro_rules! wire_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $text:literal $(| $alias:literal)*, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )*
            /// A value that is none of the above, as received.
            Other(String),
        }

        impl $name {
            /// The values that are named here.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the value as it is on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                if let Self::Other(text) = self { text } else { self.known_text() }
            }

            /// Returns the text of a value that has a name here; none of another.
            pub(crate) const fn known_text(&self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )*
                    Self::Other(_) => "",
                }
            }

            fn known(text: &str) -> Option<Self> {
                match text {
                    $( $text $(| $alias)* => return Some(Self::$variant), )*
                    _ => {}
                }
                $( if text.eq_ignore_ascii_case($text) $(|| text.eq_ignore_ascii_case($alias))* {
                    return Some(Self::$variant);
                } )*
                None
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::known(text).unwrap_or_else(|| Self::Other(text.to_owned()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::lenient::deserialize(deserializer)
            }
        }

        impl $crate::quoted::Strict for $name {
            fn strict(reader: &mut $crate::quoted::Reader<'_>) -> Result<Self, $crate::quoted::Unfit> {
                reader.string().map(Self::from)
            }
        }

        impl $crate::lenient::Lenient<'_> for $name {
            const DEFECT: &'static str = "is not a string";

            fn from_str(text: &str) -> Option<Self> {
                Some(Self::from(text))
            }
        }

        #[cfg(test)]
        impl $crate::shape::Shaped for $name {
            const SHAPE: $crate::shape::Shape = $crate::shape::Shape::Word;
        }

        #[cfg(test)]
        impl $crate::sample::Sample for $name {
            fn sample(random: &mut fastrand::Rng) -> Self {
                match random.choice(Self::ALL) {
                    Some(value) if random.u8(..) > 40 => value.clone(),
                    _ => Self::from($crate::sample::text(random).as_str()),
                }
            }
        }
    };
}

pub(crate) use {model, wire_enum};
