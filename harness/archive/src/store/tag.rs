//! What an object's tag says of its content: S3's is the MD5 of what was put in one piece, and of the MD5s of its parts
//! otherwise. Of an object that the server encrypts with a key of its own it says nothing.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use md5::{Digest, Md5};

/// Sizes of parts that programs use, in MiB: the tag gives their number, not their size.
const PARTS: [u64; 14] = [5, 6, 8, 10, 12, 15, 16, 20, 25, 32, 50, 64, 100, 128];

/// Whether a tag is that of these bytes, put in one piece.
pub fn is_of(tag: &str, bytes: &[u8]) -> bool {
    tag.trim_matches('"') == hexadecimal(&Md5::digest(bytes))
}

/// Whether a tag is that of a file of so many bytes, put in one piece or in parts of a usual size.
pub fn is_of_file(tag: &str, file: &mut File, bytes: u64) -> io::Result<bool> {
    let tag = tag.trim_matches('"');
    let Some((_, number)) = tag.split_once('-') else {
        return Ok(tag == hexadecimal(&digests(file, bytes.max(1))?.pop().unwrap_or_else(|| Md5::digest([]).to_vec())));
    };
    let number: Option<u64> = number.parse().ok();
    for part in PARTS.map(|part| part << 20).into_iter().filter(|&part| Some(bytes.div_ceil(part)) == number) {
        let digests = digests(file, part)?;
        if tag == format!("{}-{}", hexadecimal(&Md5::digest(digests.concat())), digests.len()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The MD5 of each part of a file.
fn digests(file: &mut File, part: u64) -> io::Result<Vec<Vec<u8>>> {
    file.seek(SeekFrom::Start(0))?;
    let (mut digests, mut buffer) = (Vec::new(), vec![0; 1 << 20]);
    loop {
        let (mut md5, mut part, mut any) = (Md5::new(), file.by_ref().take(part), false);
        loop {
            let read = part.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            any = true;
            md5.update(&buffer[..read]);
        }
        if !any {
            return Ok(digests);
        }
        digests.push(md5.finalize().to_vec());
    }
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn tags_of_one_piece_and_of_parts() {
        let bytes: Vec<u8> = (0..(8 << 20) + 5_u32).map(|byte| (byte % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let mut of = |tag: &str| is_of_file(tag, &mut file, bytes.len() as u64).unwrap();
        // By md5sum, and by what the aws command line's default of 8 MiB gives.
        let one = hexadecimal(&Md5::digest(&bytes));
        let (first, second) = bytes.split_at(8 << 20);
        let parts = [Md5::digest(first).to_vec(), Md5::digest(second).to_vec()].concat();
        let two = format!("\"{}-2\"", hexadecimal(&Md5::digest(parts)));
        assert!(of(&one) && of(&two) && is_of(&format!("\"{one}\""), &bytes));
        assert!(!of(&two.replace("-2", "-3")) && !of("0123456789abcdef0123456789abcdef") && !of("kms"));
        let mut empty = tempfile::tempfile().unwrap();
        assert!(is_of_file("d41d8cd98f00b204e9800998ecf8427e", &mut empty, 0).unwrap());
    }
}
