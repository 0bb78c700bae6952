"""What people and CI run; `lib` holds the Python parts."""
