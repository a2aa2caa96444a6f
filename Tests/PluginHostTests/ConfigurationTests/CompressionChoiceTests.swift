import Gateway
import Testing

@testable import PluginHost

@Suite struct `What is said of compression` {
  private func choice(
    _ mode: CompressionChoice.Mode? = nil, level: Int? = nil, minimum: Int? = nil, bits: Int? = nil
  ) -> CompressionChoice {
    var choice = CompressionChoice()
    (choice.mode, choice.level, choice.minimumBytes, choice.windowBits) = (
      mode, level, minimum, bits
    )
    return choice
  }

  @Test func `nothing said is a message by itself, from 128 bytes on, at the fastest level`() {
    let policy = choice().policy(within: choice())
    #expect(policy == CompressionPolicy())
    #expect(policy.mode == .noContext && policy.level == 1 && policy.minimumBytes == 128)
    #expect(policy.windowBits == 12)
  }

  @Test(
    arguments: [
      // Socket, operator, what comes of it.
      (nil, .off, .off), (nil, .noContext, .noContext), (nil, .context, .context),
      (.off, .context, .off), (.off, nil, .off), (.noContext, .context, .noContext),
      (.noContext, .off, .off), (.context, nil, .noContext), (.context, .off, .off),
      (.context, .noContext, .noContext), (.context, .context, .context),
    ] as [(CompressionChoice.Mode?, CompressionChoice.Mode?, CompressionPolicy.Mode)])
  func `a socket gets no more than the operator allows`(
    socket: CompressionChoice.Mode?, bounds: CompressionChoice.Mode?,
    mode: CompressionPolicy.Mode
  ) {
    #expect(choice(socket).policy(within: choice(bounds)).mode == mode)
  }

  @Test func `the nearest word counts, member by member`() {
    let policy = choice(level: 9).policy(within: choice(level: 2, minimum: 0, bits: 15))
    #expect(policy.level == 9 && policy.minimumBytes == 0 && policy.windowBits == 15)
    let tenant = choice(.off, minimum: 7)
    #expect(tenant.over(choice(.context, level: 3)) == choice(.off, level: 3, minimum: 7))
  }

  @Test func `a tenant's file stands over the gateway's for that tenant alone`() throws {
    let folder = ScratchFolder()
    let text = """
      {"listeners": [{"address": "127.0.0.1:0"}],
       "compression": {"mode": "context", "level": 4},
       "tenants": [{"id": "a", "compression": {"mode": "off", "min_bytes": 9}}, {"id": "b"}]}
      """
    let configuration = try SluiceConfiguration.read(file: folder.write(text, to: "sluice.json"))
    #expect(configuration.compression(ofTenant: "a") == choice(.off, level: 4, minimum: 9))
    #expect(configuration.compression(ofTenant: "b") == choice(.context, level: 4))
    #expect(configuration.compression(ofTenant: "made while it runs") == choice(.context, level: 4))
  }
}
