//! Sixty-four bytes at a time: where the bytes with a meaning in a string are.

use wide::u8x16;

/// One bit a byte, the first byte lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Masks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    /// Bytes below a space, which are not allowed in a string.
    pub(super) controls: u64,
}

impl Masks {
    #[inline]
    pub(super) fn of(block: &[u8; BLOCK]) -> Self {
        let mut masks = Self { quotes: 0, backslashes: 0, controls: 0 };
        let mut any_control = u8x16::splat(0);
        let (lanes, _) = block.as_chunks::<LANE>();
        for (index, lane) in lanes.iter().enumerate() {
            let (shift, lane) = (index * LANE, u8x16::new(*lane));
            masks.quotes |= u64::from(equal(lane, b'"').to_bitmask()) << shift;
            masks.backslashes |= u64::from(equal(lane, b'\\').to_bitmask()) << shift;
            any_control |= controls(lane);
        }
        // They are faults, so where they stand is looked for only when there are any.
        if any_control.to_bitmask() != 0 {
            for (index, lane) in lanes.iter().enumerate() {
                masks.controls |= u64::from(controls(u8x16::new(*lane)).to_bitmask()) << (index * LANE);
            }
        }
        masks
    }
}

/// Returns where the slashes in `block` are.
pub(super) fn slashes(block: &[u8; BLOCK]) -> u64 {
    let (lanes, _) = block.as_chunks::<LANE>();
    let masks = lanes.iter().enumerate();
    masks.fold(0, |mask, (index, lane)| mask | u64::from(equal(u8x16::new(*lane), b'/').to_bitmask()) << (index * LANE))
}

/// Returns which bytes of a block are escaped by the backslash before them; `carried` is 1 when the first byte of the
/// next block is. Backslashes escape each other in pairs, so only those at an even distance from the start of their
/// run escape what follows; the addition carries each run that starts at an odd place to its end.
pub(super) fn escaped(backslashes: u64, carried: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslashes = backslashes & !*carried;
    let follows = backslashes << 1 | *carried;
    let odd_starts = backslashes & !EVEN & !follows;
    let (even_runs, overflow) = odd_starts.overflowing_add(backslashes);
    *carried = u64::from(overflow);
    (EVEN ^ (even_runs << 1)) & follows
}

/// Returns the block at `at`, filled up with spaces at the end of `bytes`.
pub(super) fn at(bytes: &[u8], at: usize) -> [u8; BLOCK] {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.first_chunk().copied().unwrap_or_else(|| {
        let mut block = [b' '; BLOCK];
        for (to, from) in block.iter_mut().zip(rest) {
            *to = *from;
        }
        block
    })
}

/// Returns how many bytes at the start of `bytes` stand for themselves in a string.
#[inline]
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    let (lanes, rest) = bytes.as_chunks::<LANE>();
    for (index, lane) in lanes.iter().enumerate() {
        let lane = u8x16::new(*lane);
        let special = (equal(lane, b'"') | equal(lane, b'\\') | controls(lane)).to_bitmask();
        if special != 0 {
            return index * LANE + special.trailing_zeros() as usize;
        }
    }
    let plain = |byte: &&u8| **byte >= b' ' && **byte != b'"' && **byte != b'\\';
    lanes.len() * LANE + rest.iter().take_while(plain).count()
}

#[inline]
fn equal(lane: u8x16, byte: u8) -> u8x16 {
    lane.simd_eq(u8x16::splat(byte))
}

#[inline]
fn controls(lane: u8x16) -> u8x16 {
    lane.min(u8x16::splat(0x1f)).simd_eq(lane)
}

pub(super) const BLOCK: usize = 64;
const LANE: usize = 16;
