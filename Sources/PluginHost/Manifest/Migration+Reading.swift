extension Migration {
  /// The largest migration, in bytes.
  private static let fileLimit = 1 << 20

  /// Reads the migrations of a folder; mistakes are recorded at `node`. `0001_name.sqlite.sql` stands in place of `0001_name.sql`, and files
  /// that end in `.postgres.sql` are for another database.
  static func read(folder: String, for node: ConfigNode) -> [Migration] {
    let names: [String]
    do {
      names = chosen(from: try FileSystem.names(in: folder))
    } catch {
      node.refuse("\(folder): \(error.description)")
      return []
    }
    var migrations: [Migration] = []
    for name in names {
      guard let (number, words) = parse(name) else {
        node.refuse("\(folder)/\(name): a migration is called like 0001_create_messages.sql")
        continue
      }
      guard number == migrations.count + 1 else {
        node.refuse(
          number == migrations.count
            ? "\(folder)/\(name): the number \(number) stands twice"
            : "\(folder)/\(name): number \(migrations.count + 1) is missing before it")
        return migrations
      }
      do {
        let bytes = try FileSystem.contents(of: "\(folder)/\(name)", limit: fileLimit)
        guard let sql = String(validating: bytes, as: UTF8.self) else {
          node.refuse("\(folder)/\(name): not UTF-8")
          continue
        }
        migrations.append(Migration(number: number, name: words, sql: sql))
      } catch {
        node.refuse("\(folder)/\(name): \(error.description)")
        return migrations
      }
    }
    return migrations
  }

  /// What ends the name of a migration that is for SQLite alone, before ".sql".
  private static let variant = ".sqlite"

  /// The files for this database, in their order.
  private static func chosen(from names: [String]) -> [String] {
    let own = Set(names.filter { $0.hasSuffix(variant + ".sql") })
    return names.filter { name in
      !name.hasSuffix(".postgres.sql")
        && (own.contains(name) || !own.contains("\(name.dropLast(4))\(variant).sql"))
    }
  }

  /// The number and the words of `0001_name.sql`.
  private static func parse(_ file: String) -> (Int, String)? {
    guard file.hasSuffix(".sql") else { return nil }
    var stem = file.dropLast(4)
    if stem.hasSuffix(variant) { stem = stem.dropLast(variant.count) }
    let digits = stem.prefix(4)
    guard digits.utf8.count == 4, digits.utf8.allSatisfy(Grammar.isDigit),
      let number = Int(digits), number > 0, stem.dropFirst(4).first == "_"
    else { return nil }
    let words = String(stem.dropFirst(5))
    return Grammar.name.accepts(words) ? (number, words) : nil
  }
}
