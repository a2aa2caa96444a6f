CREATE TABLE conformance_durable (
  id INTEGER PRIMARY KEY,
  body BLOB NOT NULL
);
