-- From which network a letter was asked for, as SHA-256 in lower-case hexadecimal digits; NULL in those of before and in those without a code.
ALTER TABLE auth_letters ADD COLUMN network TEXT;
