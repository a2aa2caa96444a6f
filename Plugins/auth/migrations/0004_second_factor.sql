-- Of what the second factor's secret is computed; NULL where there is none, or where the secret is one of those that were sealed by themselves.
ALTER TABLE auth_accounts ADD COLUMN totp_nonce TEXT;
-- When the secret was shown. One that is not confirmed in time is none.
ALTER TABLE auth_accounts ADD COLUMN totp_offered_at BIGINT;
