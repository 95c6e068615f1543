//! What the process keeps of the memory it once needed.

/// Buffers from this size on are mapped for themselves and given back as soon as they are freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_FROM_BYTES: i32 = 128 << 10;

/// Holds the memory of a run to what its batches in hand need, however many there are in all.
///
/// The C library maps large buffers too, but raises that limit to the largest it saw freed; from then
/// on each thread's arena keeps the room of its largest batch. Setting the limit holds it still
/// (`mallopt(3)`): a third of the memory, and the same for ten million rows as for one, for a tenth
/// of the speed.
pub(crate) fn give_back_large_buffers() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[expect(unsafe_code, reason = "a call of the C library that reads two numbers")]
        // SAFETY: `mallopt` may be called at any time; no other thread runs yet.
        let is_set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM_BYTES) };
        debug_assert_eq!(is_set, 1, "the C library knows the limit");
    }
}
