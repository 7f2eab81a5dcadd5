use std::collections::BTreeSet;

use serde::de::{MapAccess, SeqAccess};

use super::{Key, KeySeed, Lenient, Read, Source, field};

/// A list is whole or unusable: one that came out shorter than it was would say something else. PHP writes a list whose
/// keys have holes as an object: its values count.
impl<'de, T: Lenient<'de>> Lenient<'de> for Vec<T> {
    const DEFECT: &'static str = "is not a list";

    fn from_seq<A: SeqAccess<'de>, S: Source>(mut seq: A) -> Result<Read<Self>, A::Error> {
        let mut list = Some(Self::new());
        while let Some(element) = seq.next_element_seed(field::<T, S>())? {
            list = extended(list, element);
        }
        Ok(Read::from_option(list, UNUSABLE_ELEMENT))
    }

    fn from_map<A: MapAccess<'de>, S: Source>(mut map: A) -> Result<Read<Self>, A::Error> {
        let mut list = Some(Self::new());
        let (mut seen, mut is_list) = (BTreeSet::new(), true);
        while let Some(Index(index)) = map.next_key_seed(KeySeed::NEW)? {
            list = extended(list, map.next_value_seed(field::<T, S>())?);
            is_list &= index.is_some_and(|index| seen.insert(index));
        }
        if is_list { Ok(Read::from_option(list, UNUSABLE_ELEMENT)) } else { Ok(Read::from_option(None, Self::DEFECT)) }
    }
}

const UNUSABLE_ELEMENT: &str = "has an unusable element";

/// Returns `None` once an element is not usable.
fn extended<T>(list: Option<Vec<T>>, element: Read<T>) -> Option<Vec<T>> {
    let (mut list, element) = list.zip(element.value())?;
    list.push(element);
    Some(list)
}

/// The key of a PHP array, if it is a number.
struct Index(Option<u64>);

impl Key for Index {
    fn parse(key: &str) -> Self {
        let is_canonical = key == "0" || !key.starts_with(['0', '+']);
        Self(key.parse().ok().filter(|_| is_canonical))
    }
}
