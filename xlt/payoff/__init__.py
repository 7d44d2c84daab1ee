"""What labels are worth: honest accuracy, whether choosing pays, what the last labels bought."""
