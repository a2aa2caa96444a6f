import Bus
import Synchronization
import Testing

/// What the loops have been given, in the order in which they got it.
final class Carried: Sendable {
  struct Delivery: Equatable {
    var loop: Int
    var offsets: [Int64]
  }

  private let list = Mutex<[Delivery]>([])

  var deliveries: [Delivery] { list.withLock { $0 } }

  /// Offsets that one loop got, in their order.
  func offsets(loop: Int) -> [Int64] {
    deliveries.filter { $0.loop == loop }.flatMap(\.offsets)
  }

  func bus() -> LocalBus {
    LocalBus { [self] loop, publications in
      list.withLock { $0.append(Delivery(loop: loop, offsets: publications.map(\.offset))) }
    }
  }
}

func publication(_ offset: Int64, in channel: String, of tenant: String = "app") -> Publication {
  Publication(
    tenant: tenant, channel: channel, sequence: offset, offset: offset, time: 1_700_000_000_000,
    type: "note.made", id: "evt_\(offset)", epoch: "e", data: Array("{}".utf8))
}

func key(_ channel: String, of tenant: String = "app") -> ChannelKey {
  ChannelKey(tenant: tenant, channel: channel)
}

@Suite struct `The local bus` {
  let carried = Carried()

  @Test func `hands a publication to each loop that wants its channel, once`() {
    let bus = carried.bus()
    for loop in [63, 0, 5, 5] { bus.add(loop: loop, to: key("notes:1")) }
    bus.add(loop: 7, to: key("notes:2"))
    bus.publish([publication(1, in: "notes:1")])
    #expect(carried.deliveries.map(\.loop) == [0, 5, 63])
    #expect(carried.deliveries.allSatisfy { $0.offsets == [1] })
  }

  @Test func `hands over nothing that nobody wants`() {
    let bus = carried.bus()
    bus.publish([])
    bus.publish([publication(1, in: "notes:1")])
    bus.publish([publication(1, in: "notes:1"), publication(2, in: "notes:2")])
    #expect(carried.deliveries == [])
    #expect(bus.channels == 0)
  }

  @Test func `keeps channels apart whose names spell one character in two ways`() {
    let (composed, decomposed) = ("#\u{E9}", "#e\u{301}")
    #expect(composed == decomposed && key(composed) != key(decomposed))
    let bus = carried.bus()
    bus.add(loop: 1, to: key(composed))
    bus.add(loop: 2, to: key(decomposed))
    bus.publish([publication(1, in: composed)])
    bus.publish([publication(2, in: decomposed), publication(3, in: decomposed)])
    #expect(carried.offsets(loop: 1) == [1])
    #expect(carried.offsets(loop: 2) == [2, 3])
    #expect(bus.channels == 2)
  }

  @Test func `keeps tenants apart that have channels of one name`() {
    let bus = carried.bus()
    bus.add(loop: 1, to: key("notes:1", of: "one"))
    bus.add(loop: 2, to: key("notes:1", of: "two"))
    bus.publish([publication(1, in: "notes:1", of: "two")])
    bus.publish([
      publication(2, in: "notes:1", of: "one"), publication(3, in: "notes:1", of: "two"),
    ])
    #expect(carried.offsets(loop: 1) == [2])
    #expect(carried.offsets(loop: 2) == [1, 3])
  }

  @Test func `gives each loop its share of many publications at once and in order`() {
    let bus = carried.bus()
    bus.add(loop: 0, to: key("notes:1"))
    bus.add(loop: 1, to: key("notes:1"))
    bus.add(loop: 1, to: key("notes:2"))
    bus.publish([
      publication(1, in: "notes:1"), publication(2, in: "notes:2"), publication(3, in: "notes:3"),
      publication(4, in: "notes:1"),
    ])
    #expect(
      carried.deliveries.sorted { $0.loop < $1.loop } == [
        .init(loop: 0, offsets: [1, 4]), .init(loop: 1, offsets: [1, 2, 4]),
      ])
  }

  @Test func `forgets a loop that has gone, and a channel with its last loop`() {
    let bus = carried.bus()
    bus.add(loop: 0, to: key("notes:1"))
    bus.add(loop: 1, to: key("notes:1"))
    bus.remove(loop: 0, from: key("notes:1"))
    bus.remove(loop: 0, from: key("notes:1"))
    bus.remove(loop: 9, from: key("never"))
    #expect(bus.channels == 1)
    bus.publish([publication(1, in: "notes:1")])
    bus.remove(loop: 1, from: key("notes:1"))
    bus.publish([publication(2, in: "notes:1")])
    #expect(carried.deliveries == [.init(loop: 1, offsets: [1])])
    #expect(bus.channels == 0)
  }

  @Test func `carries a publication unchanged`() {
    let seen = Mutex<Publication?>(nil)
    let bus = LocalBus { _, publications in seen.withLock { $0 = publications.first } }
    bus.add(loop: 0, to: key("notes:1"))
    let data: [UInt8] = [0x22, 0x00, 0xff]
    bus.publish([
      Publication(
        tenant: "app", channel: "notes:1", sequence: 7, offset: 3, time: 5, type: "t", id: "i",
        epoch: "e", data: data)
    ])
    let got = seen.withLock { $0 }
    #expect(got?.sequence == 7 && got?.offset == 3 && got?.time == 5)
    #expect(got?.type == "t" && got?.id == "i" && got?.epoch == "e" && got?.data == data)
  }

  @Test func `loops that come and go while others publish lose nothing that they wanted`() async {
    let bus = carried.bus()
    let steady = key("steady")
    bus.add(loop: 0, to: steady)
    await withTaskGroup(of: Void.self) { group in
      for loop in 1..<8 {
        group.addTask {
          for _ in 0..<500 {
            bus.add(loop: loop, to: steady)
            bus.add(loop: loop, to: key("own-\(loop)"))
            bus.remove(loop: loop, from: key("own-\(loop)"))
            bus.remove(loop: loop, from: steady)
          }
        }
      }
      // Publishers of one thread each: what one hands over reaches a loop in its order.
      for publisher in 0..<4 {
        group.addTask {
          for number in 0..<500 {
            bus.publish([publication(Int64(publisher * 1_000 + number), in: "steady")])
          }
        }
      }
    }
    let got = carried.offsets(loop: 0)
    #expect(got.count == 2_000)
    for publisher in 0..<4 {
      let own = got.filter { $0 / 1_000 == publisher }
      #expect(own == (0..<500).map { Int64(publisher * 1_000 + $0) })
    }
    #expect(bus.channels == 1)
  }
}
