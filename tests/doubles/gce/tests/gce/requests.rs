//! What the double refuses that a good client never sends, and what it notes.
