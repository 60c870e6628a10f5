//! Pure planning: place, diff, order.
