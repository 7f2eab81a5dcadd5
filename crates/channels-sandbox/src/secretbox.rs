//! The secretbox of NaCl: `XSalsa20` and Poly1305.

use poly1305::Poly1305;
use salsa20::{
    XSalsa20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};

/// The tag, and behind it the encrypted message.
pub(crate) fn seal(key: &[u8; 32], nonce: &[u8; 24], message: &[u8]) -> Vec<u8> {
    let mut cipher = XSalsa20::new(key.into(), nonce.into());
    // The key of the tag is what would encrypt the 32 bytes before the message.
    let mut tag_key = poly1305::Key::default();
    cipher.apply_keystream(&mut tag_key);
    let mut ciphertext = message.to_vec();
    cipher.apply_keystream(&mut ciphertext);
    let tag = <Poly1305 as poly1305::universal_hash::KeyInit>::new(&tag_key).compute_unpadded(&ciphertext);
    [tag.as_slice(), &ciphertext].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first vector of NaCl's own tests, "secretbox.c".
    #[test]
    fn a_message_is_sealed_as_nacl_seals_it() {
        let key = bytes("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
        let nonce = bytes("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
        let message = bytes(concat!(
            "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f4",
            "1db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52",
            "f0a089bc76897040e082f937763848645e0705"
        ));
        let sealed = bytes(concat!(
            "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b",
            "4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da",
            "99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5"
        ));
        assert_eq!(seal(&key.try_into().unwrap(), &nonce.try_into().unwrap(), &message), sealed);
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        hex.as_bytes().chunks(2).map(byte).collect()
    }
}
