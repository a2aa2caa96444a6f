-- To whom a letter goes that does not go to the account's address: a code to the one that is to become it, a notice to the one that was.
ALTER TABLE auth_letters ADD COLUMN address TEXT;
