"""The example contracts of contracts/, each by what it promises, on both engines."""
