//! Random values of every model, for the tests that a value reads back as it was written.

use fastrand::Rng;

use crate::time::VmsTime;

pub(crate) trait Sample {
    fn sample(random: &mut Rng) -> Self;
}

impl<T: Sample> Sample for Option<T> {
    fn sample(random: &mut Rng) -> Self {
        random.bool().then(|| T::sample(random))
    }
}

impl<T: Sample> Sample for Box<T> {
    fn sample(random: &mut Rng) -> Self {
        Self::new(T::sample(random))
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(random: &mut Rng) -> Self {
        (0..random.usize(..4)).map(|_| T::sample(random)).collect()
    }
}

impl Sample for i64 {
    fn sample(random: &mut Rng) -> Self {
        *random.choice(&[0, 1, -1, 17, Self::MAX, Self::MIN, (1 << 53) + 1]).unwrap()
    }
}

impl Sample for f64 {
    fn sample(random: &mut Rng) -> Self {
        if random.bool() { random.f64() } else { Self::from(random.i32(..)) }
    }
}

impl Sample for bool {
    fn sample(random: &mut Rng) -> Self {
        random.bool()
    }
}

impl Sample for String {
    fn sample(random: &mut Rng) -> Self {
        text(random)
    }
}

impl Sample for VmsTime {
    fn sample(random: &mut Rng) -> Self {
        let micros = random.i64(-62_167_219_200_000_000..=253_402_300_799_999_999);
        Self::from_unix_micros(micros).unwrap()
    }
}

pub(crate) fn text(random: &mut Rng) -> String {
    let alphabet = ['a', '"', '\\', '/', '\n', '\u{0}', '\u{1b}', 'ж', '門', '\u{202e}', '🚪', '0'];
    (0..random.usize(..9)).map(|_| *random.choice(&alphabet).unwrap()).collect()
}
