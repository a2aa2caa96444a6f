-- The words of messages by which they are found. Rows are counted in the order in which messages came; the words themselves are kept in
-- chat_messages alone, so a change needs what was there before. Triggers see to it, in whatever batch a message changes.
CREATE TABLE chat_search_rows (
  number INTEGER PRIMARY KEY,
  message TEXT NOT NULL UNIQUE
);

CREATE VIRTUAL TABLE chat_search USING fts5(text, content='', tokenize="unicode61 remove_diacritics 2");

INSERT INTO chat_search_rows (message)
SELECT id FROM chat_messages WHERE text <> '' ORDER BY created_at, type, channel, seq;
INSERT INTO chat_search (rowid, text)
SELECT r.number, m.text FROM chat_search_rows r JOIN chat_messages m ON m.id = r.message;

CREATE TRIGGER chat_search_of_new AFTER INSERT ON chat_messages WHEN new.text <> '' BEGIN
  INSERT INTO chat_search_rows (message) VALUES (new.id);
  INSERT INTO chat_search (rowid, text)
  SELECT number, new.text FROM chat_search_rows WHERE message = new.id;
END;

CREATE TRIGGER chat_search_of_changed AFTER UPDATE OF text ON chat_messages WHEN old.text <> new.text BEGIN
  INSERT INTO chat_search (chat_search, rowid, text)
  SELECT 'delete', number, old.text FROM chat_search_rows WHERE message = old.id;
  DELETE FROM chat_search_rows WHERE message = old.id AND new.text = '';
  INSERT INTO chat_search_rows (message) SELECT new.id WHERE new.text <> ''
  ON CONFLICT (message) DO NOTHING;
  INSERT INTO chat_search (rowid, text)
  SELECT number, new.text FROM chat_search_rows WHERE message = new.id;
END;

CREATE TRIGGER chat_search_of_removed AFTER DELETE ON chat_messages BEGIN
  INSERT INTO chat_search (chat_search, rowid, text)
  SELECT 'delete', number, old.text FROM chat_search_rows WHERE message = old.id;
  DELETE FROM chat_search_rows WHERE message = old.id;
END;
