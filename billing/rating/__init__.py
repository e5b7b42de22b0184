"""Rating: usage times terms gives charges, and charges give invoice lines."""
