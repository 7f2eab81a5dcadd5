//! The ways a character can be written in a text: as itself, percent-encoded, or escaped.

/// Returns how many bytes of `text` spell `secret`, from its first byte on; none when they spell something else.
///
/// A text that ends, or is cut by an ellipsis, in the middle of the secret spells it when enough of it is there to tell.
pub(crate) fn length_of(secret: &str, text: &str) -> Option<usize> {
    let mut characters = secret.chars();
    // What looks like an escape may be a part of the secret, so there may be several places up to which it is spelled.
    let mut ends = Vec::new();
    add_ends(&mut ends, characters.next()?, text, 0);
    for (matched, expected) in (1..).zip(characters) {
        if ends.is_empty() {
            return None;
        }
        let mut next = Vec::new();
        for &end in &ends {
            add_ends(&mut next, expected, text, end);
        }
        if next.is_empty() && matched >= ENOUGH {
            return ends.into_iter().find(|&end| text.get(end..).is_some_and(is_cut));
        }
        ends = next;
    }
    ends.into_iter().max()
}

/// Adds the places where a spelling of `expected` ends that begins at `at`.
fn add_ends(ends: &mut Vec<usize>, expected: char, text: &str, at: usize) {
    let rest = text.get(at..).unwrap_or_default();
    let Some(first) = rest.chars().next() else { return };
    let escaped = match first {
        '%' => percent(expected, rest),
        '\\' => backslash(expected, rest),
        '&' => entity(expected, rest),
        _ => None,
    };
    let itself = is_same(first, expected).then(|| first.len_utf8());
    for end in [escaped, itself].into_iter().flatten().map(|length| at + length) {
        if ends.len() < MOST_ENDS && !ends.contains(&end) {
            ends.push(end);
        }
    }
}

/// Whether a text that goes on with `rest` was cut, perhaps within an escape.
fn is_cut(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('…') || rest.len() < LONGEST_ESCAPE && rest.starts_with(['%', '\\', '&'])
}

/// Hosts are written in lower case by whoever handles them.
fn is_same(one: char, other: char) -> bool {
    one == other || one.to_lowercase().eq(other.to_lowercase())
}

/// The bytes of the character as `%C3%A9`, encoded once or several times (`%25C3`).
fn percent(expected: char, text: &str) -> Option<usize> {
    (0..=MAX_DEPTH).find_map(|depth| percent_at(expected, text, depth))
}

fn percent_at(expected: char, text: &str, depth: usize) -> Option<usize> {
    let (mut bytes, mut count, mut at) = ([0; 4], 0, 0);
    loop {
        let mut rest = text.get(at..)?.strip_prefix('%')?;
        for _ in 0..depth {
            rest = rest.strip_prefix("25")?;
        }
        *bytes.get_mut(count)? = u8::from_str_radix(rest.get(..2)?, 16).ok()?;
        count += 1;
        at += 3 + 2 * depth;
        let decoded = bytes.get(..count).and_then(|bytes| std::str::from_utf8(bytes).ok());
        if let Some(character) = decoded.and_then(|text| text.chars().next()) {
            return is_same(character, expected).then_some(at);
        }
    }
}

/// `\/`, `\u00e9`, `\u{e9}` or `\xe9`, behind as many backslashes as escaping over and over again makes of one.
fn backslash(expected: char, text: &str) -> Option<usize> {
    let before = text.bytes().take(MOST_BACKSLASHES).take_while(|&byte| byte == b'\\').count();
    let escape = text.get(before..)?;
    let doubled = (expected == '\\' && before >= 2).then_some(2);
    escaped(expected, escape).map(|length| before + length).or(doubled)
}

/// What stands behind the backslashes.
fn escaped(expected: char, escape: &str) -> Option<usize> {
    let mut characters = escape.chars();
    let kind = characters.next()?;
    let rest = characters.as_str();
    let (digits, length) = match (kind, rest.strip_prefix('{')) {
        ('u', Some(braced)) => {
            let length = braced.bytes().take(LONGEST_ESCAPE).position(|byte| byte == b'}')?;
            (braced.get(..length)?, length + 3)
        }
        ('u', None) => (rest.get(..4)?, 5),
        ('x', _) => (rest.get(..2)?, 3),
        _ => return is_same(kind, expected).then(|| kind.len_utf8()),
    };
    let character = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
    is_same(character, expected).then_some(length)
}

/// `&#233;`, `&#xe9;` or the name of one of the five characters that have to be escaped.
fn entity(expected: char, text: &str) -> Option<usize> {
    let end = text.bytes().take(LONGEST_ESCAPE).position(|byte| byte == b';')?;
    let character = match text.get(1..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        name => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    is_same(character, expected).then_some(end + 1)
}

/// Fewer characters of a secret at the end of a text tell nothing, and may be something else.
const ENOUGH: usize = 6;
/// A secret of nothing but backslashes shall not make the search slow.
const MOST_ENDS: usize = 8;
/// How often a text may be percent-encoded over again.
const MAX_DEPTH: usize = 3;
const LONGEST_ESCAPE: usize = 12;
/// Five times over. More would make the search in a text of backslashes slow.
const MOST_BACKSLASHES: usize = 32;
