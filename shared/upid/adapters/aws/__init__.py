"""What all adapters of AWS services share: clients and the translation of their errors."""
