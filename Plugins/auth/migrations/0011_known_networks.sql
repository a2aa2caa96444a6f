-- From which network a session was refreshed last: an IPv4 address, or 64 bits of IPv6 as hexadecimal digits and /64. NULL in those of before with an IPv6 address.
ALTER TABLE auth_sessions ADD COLUMN network TEXT;
UPDATE auth_sessions SET network = address WHERE address NOT LIKE '%:%';
-- From which network the account's owner has typed in a code of its mail last, in the same form.
ALTER TABLE auth_accounts ADD COLUMN proven_network TEXT;
