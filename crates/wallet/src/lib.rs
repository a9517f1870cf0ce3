//! Part of Amulet.
