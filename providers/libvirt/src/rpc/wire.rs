//! Values as the protocol writes them: XDR, RFC 4506. Everything is big-endian and a multiple of four
//! bytes long.

use super::error::Error;

/// The longest text that is read, libvirt's own bound (`VIR_NET_MESSAGE_STRING_MAX`).
const TEXT_MAX: usize = 4 << 20;
/// The longest list that is read (`REMOTE_DOMAIN_LIST_MAX` and its like).
const LIST_MAX: usize = 16384;

/// A UUID as it is sent.
pub(crate) type Uuid = [u8; 16];

/// What can be sent.
pub(super) trait Encode {
    /// Appends it.
    fn encode(&self, to: &mut Vec<u8>);
}

/// What can be received.
pub(super) trait Decode: Sized {
    /// Takes it from the beginning of what is left.
    fn decode(from: &mut &[u8]) -> Result<Self, Error>;
}

fn take<'a>(from: &mut &'a [u8], count: usize) -> Result<&'a [u8], Error> {
    let parts = from.split_at_checked(count);
    let (head, rest) = parts.ok_or_else(|| Error::broken("an answer of libvirt is cut short"))?;
    *from = rest;
    Ok(head)
}

fn word<const N: usize>(from: &mut &[u8]) -> Result<[u8; N], Error> {
    let mut word = [0; N];
    word.copy_from_slice(take(from, N)?);
    Ok(word)
}

fn length(from: &mut &[u8], max: usize) -> Result<usize, Error> {
    let length = u32::decode(from)? as usize;
    if length > max {
        return Err(Error::broken("an answer of libvirt is too long"));
    }
    Ok(length)
}

macro_rules! number {
    ($($kind:ty),*) => {$(
        impl Encode for $kind {
            fn encode(&self, to: &mut Vec<u8>) {
                to.extend(self.to_be_bytes());
            }
        }

        impl Decode for $kind {
            fn decode(from: &mut &[u8]) -> Result<Self, Error> {
                word(from).map(Self::from_be_bytes)
            }
        }
    )*};
}

number!(u32, i32, u64);

impl Encode for bool {
    fn encode(&self, to: &mut Vec<u8>) {
        u32::from(*self).encode(to);
    }
}

impl Decode for bool {
    fn decode(from: &mut &[u8]) -> Result<Self, Error> {
        Ok(u32::decode(from)? != 0)
    }
}

impl Encode for Uuid {
    fn encode(&self, to: &mut Vec<u8>) {
        to.extend(self);
    }
}

impl Decode for Uuid {
    fn decode(from: &mut &[u8]) -> Result<Self, Error> {
        word(from)
    }
}

impl Encode for &str {
    fn encode(&self, to: &mut Vec<u8>) {
        let length = u32::try_from(self.len()).unwrap_or(u32::MAX);
        length.encode(to);
        to.extend(self.as_bytes());
        to.resize(to.len().next_multiple_of(4), 0);
    }
}

impl Decode for String {
    fn decode(from: &mut &[u8]) -> Result<Self, Error> {
        let length = length(from, TEXT_MAX)?;
        let text = take(from, length.next_multiple_of(4))?;
        Ok(Self::from_utf8_lossy(&text[..length]).into_owned())
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, to: &mut Vec<u8>) {
        self.is_some().encode(to);
        if let Some(value) = self {
            value.encode(to);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(from: &mut &[u8]) -> Result<Self, Error> {
        bool::decode(from)?.then(|| T::decode(from)).transpose()
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(from: &mut &[u8]) -> Result<Self, Error> {
        (0..length(from, LIST_MAX)?)
            .map(|_| T::decode(from))
            .collect()
    }
}

macro_rules! tuple {
    ($($name:ident),*) => {
        impl<$($name: Encode),*> Encode for ($($name,)*) {
            #[expect(non_snake_case, reason = "a part is called like its type")]
            fn encode(&self, to: &mut Vec<u8>) {
                let ($($name,)*) = self;
                $($name.encode(to);)*
            }
        }

        impl<$($name: Decode),*> Decode for ($($name,)*) {
            fn decode(from: &mut &[u8]) -> Result<Self, Error> {
                Ok(($($name::decode(from)?,)*))
            }
        }
    };
}

tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
tuple!(A, B, C, D, E);
tuple!(A, B, C, D, E, F);

impl Encode for () {
    fn encode(&self, _: &mut Vec<u8>) {}
}

impl Decode for () {
    fn decode(_: &mut &[u8]) -> Result<Self, Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(value: &impl Encode) -> Vec<u8> {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        bytes
    }

    #[test]
    fn values_are_written_as_xdr() {
        assert_eq!(encoded(&(7_u32, -1_i32)), [0, 0, 0, 7, 255, 255, 255, 255]);
        assert_eq!(encoded(&"hello"), *b"\0\0\0\x05hello\0\0\0");
        assert_eq!(encoded(&Some("abcd")), *b"\0\0\0\x01\0\0\0\x04abcd");
        assert_eq!(encoded(&None::<&str>), [0; 4]);
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = encoded(&("a", 1_u64 << 40, Some("é"), [9; 16], true));
        let mut left = bytes.as_slice();
        let read = <(String, u64, Option<String>, Uuid, bool)>::decode(&mut left).expect("whole");
        assert_eq!(
            read,
            ("a".to_owned(), 1 << 40, Some("é".to_owned()), [9; 16], true)
        );
        assert!(left.is_empty());
    }

    #[test]
    fn an_answer_that_is_cut_short_or_claims_too_much_is_an_error() {
        let bytes = encoded(&"hello");
        for end in 0..bytes.len() {
            assert!(String::decode(&mut &bytes[..end]).is_err(), "{end}");
        }
        assert!(String::decode(&mut [255; 8].as_slice()).is_err());
        assert!(Vec::<u32>::decode(&mut [0, 255, 0, 0].as_slice()).is_err());
    }
}
