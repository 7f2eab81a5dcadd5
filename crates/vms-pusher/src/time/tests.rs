use super::*;

fn micros(text: &str) -> Option<i64> {
    VmsTime::parse(text).map(VmsTime::unix_micros)
}

#[test]
fn the_usual_form_is_read_as_the_calendar_says() {
    let mut date = Date::from_calendar_date(0, Month::January, 1).ok();
    let mut days = 0;
    while let Some(day) = date {
        let text = format!("{:04}-{:02}-{:02}T23:59:58.000321Z", day.year(), u8::from(day.month()), day.day());
        let moment = PrimitiveDateTime::new(day, Time::from_hms_micro(23, 59, 58, 321).unwrap()).assume_utc();
        let expected = VmsTime::from_offset_date_time(moment);
        assert_eq!(VmsTime::parse(&text), expected, "{text}");
        assert_eq!(read_usual(text.as_bytes()), expected.filter(|_| day.day() <= 28), "{text}");
        // Every day of the first years and of a few centuries' turns, then every eleventh.
        let step = if day.year() < 5 || day.year() % 100 < 2 { 1 } else { 11 };
        date = day.checked_add(time::Duration::days(step)).filter(|day| day.year() <= 9999);
        days += 1;
    }
    assert!(days > 300_000, "{days}");
}

#[test]
fn what_looks_like_the_usual_form_is_still_checked() {
    for text in [
        "2024-03-05T10:11:12.00000xZ",
        "2024-13-05T10:11:12.000000Z",
        "2024-00-05T10:11:12.000000Z",
        "2024-03-00T10:11:12.000000Z",
        "2024-02-30T10:11:12.000000Z",
        "2024-03-05T24:11:12.000000Z",
        "2024-03-05T10:60:12.000000Z",
        "2024-03-05T10:11:60.000000Z",
        "2o24-03-05T10:11:12.000000Z",
        "2024-03-05T10:11:12.000000z ",
        "2024-03-05T1:011:12.000000Z",
        "2024-03-05T10:11:1/.000000Z",
    ] {
        assert_eq!(VmsTime::parse(text), None, "{text}");
    }
}

#[test]
fn a_time_is_read_in_every_form_that_a_vms_writes() {
    let noon = 1_709_633_472_000_000;
    let half_past = noon + 500_000;
    for (text, expected) in [
        ("2024-03-05T10:11:12.000000Z", noon),
        ("2024-03-05T10:11:12Z", noon),
        ("2024-03-05T10:11:12.5Z", half_past),
        ("2024-03-05T10:11:12,5Z", half_past),
        ("2024-03-05 10:11:12,500", half_past),
        ("2024-03-05T10:11:12.000321Z", noon + 321),
        ("2024-03-05T10:11:12.123456789Z", noon + 123_456),
        ("2024-03-05T13:11:12+03:00", noon),
        ("2024-03-05T13:11:12+0300", noon),
        ("2024-03-05T13:11:12+03", noon),
        ("2024-03-05T05:41:12.25-04:30", noon + 250_000),
        ("2024-03-05T05:41:12.25-0430", noon + 250_000),
        ("2024-03-05T05:11:12-05", noon),
        ("2024-03-05T10:11:12+00:00", noon),
        ("2024-03-05T10:11:12-00:00", noon),
        ("2024-03-06T10:10:12+23:59", noon),
        ("2024-03-05 10:11:12", noon),
        ("2024-03-05T10:11:12", noon),
        ("2024-03-05t10:11:12z", noon),
        ("2024-03-05 10:11:12Z", noon),
        // As PostgreSQL writes a `timestamptz`.
        ("2024-03-05 13:11:12+03", noon),
        ("2024-03-05 13:11:12.5+03", half_past),
        ("2024-03-05 15:41:12+05:30", noon),
        // As Ruby and Go do.
        ("2024-03-05 10:11:12 UTC", noon),
        ("2024-03-05 13:11:12 +0300", noon),
        ("2024-03-05 13:11:12.5 +03:00", half_past),
    ] {
        assert_eq!(micros(text), Some(expected), "{text}");
    }
}

// M19: an unreadable time is empty and never "now"
#[test]
fn text_that_is_not_a_time_gives_none() {
    for text in NOT_A_TIME {
        assert_eq!(micros(text), None, "{text:?}");
    }
}

// A wrong moment is worse than none: what could be more than one is none.
#[test]
fn what_could_be_more_than_one_moment_is_none() {
    for text in AMBIGUOUS {
        assert_eq!(micros(text), None, "{text:?}");
    }
}

const NOT_A_TIME: &[&str] = &[
    "",
    " ",
    "now",
    "0",
    "infinity",
    "2024-13-05T10:11:12Z",
    "2023-02-29T00:00:00Z",
    "0000-00-00 00:00:00",
    "-0001-11-30T00:00:00.000000Z",
    "2024-03-05T24:00:00Z",
    "2024-03-05T10:61:12Z",
    "2024-03-05T10:11:60Z",
    "2024-03-05T10:11:12.Z",
    "2024-03-05T10:11:12,Z",
    "2024-03-05T10:11:12.5,5Z",
    "2024-03-05T10:11:12+",
    "2024-03-05T10:11:12+3",
    "2024-03-05T10:11:12+030",
    "2024-03-05T10:11:12+03:",
    "2024-03-05T10:11:12+03:0",
    "2024-03-05T10:11:12+03:60",
    "2024-03-05T10:11:12+0360",
    "2024-03-05T10:11:12+03:00:00:00",
    "2024-03-05T10:11:12+24:00",
    "2024-03-05T10:11:12+99:00",
    "2024-03-05T10:11:12Zjunk",
    "2024-03-05T10:11:12 ",
    "2024-03-05T10:11:12 Z ",
    "2024-03-05  10:11:12",
    " 2024-03-05T10:11:12Z",
    "2024-03-05 13:11:12+03 BC",
    "+024-03-05T10:11:12Z",
    "2024/03/05 10:11:12",
    "99999-01-01T00:00:00Z",
    "0000-01-01T00:00:00+01:00",
    "2024-03-05T10:11:1２Z",
];

/// Seconds or milliseconds? Which day first? Which of the places that use the abbreviation? At which second?
const AMBIGUOUS: &[&str] = &[
    "1709633472",
    "1709633472000",
    "1709633472.5",
    "2024-03-05",
    "2024-03-05T10:11Z",
    "2024-03-05 10:11",
    "2024-03-05 10:11:12 IST",
    "2024-03-05 13:11:12 Europe/Moscow",
    "05.03.2024 10:11:12",
    "05/03/2024 10:11:12",
    "03/05/2024 10:11:12 AM",
    "24-03-05T10:11:12Z",
];

#[test]
fn a_time_reads_back_as_it_was_written() {
    for micros in [MIN_UNIX_MICROS, -1, 0, 1, 1_709_633_472_000_321, MAX_UNIX_MICROS] {
        let time = VmsTime::from_unix_micros(micros).unwrap();
        assert_eq!(VmsTime::parse(&time.to_string()), Some(time), "{time}");
        match SystemTime::try_from(time) {
            Ok(system) => assert_eq!(VmsTime::try_from(system), Ok(time), "{time}"),
            // Where the system's time begins in 1601.
            Err(error) => assert!(cfg!(windows) && micros == MIN_UNIX_MICROS, "{time}: {error}"),
        }
    }
    assert_eq!(VmsTime::from_unix_micros(MAX_UNIX_MICROS + 1), None);
    assert_eq!(VmsTime::from_unix_micros(MIN_UNIX_MICROS - 1), None);
}
