"""The service around xlt: Label Studio on one side, a queue and its workers on the other."""
