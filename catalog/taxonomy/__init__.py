"""Service classes and resource types: versioned reference data of what can be bought."""
