-- Why something that was begun has failed. It is hashed as the other columns are, in the table's order, so after all of them.
ALTER TABLE control_audit ADD COLUMN reason TEXT;
