//! Driving real pages: written below.
