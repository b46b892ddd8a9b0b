// An association that has shaken hands gets the packets and calls that the bytes describe. Ports,
// verification tag, TSNs and checksum are made right, so that what the bytes say goes deep.
#include "sctp/association.hpp"
#include "sctp/crc32c.hpp"
#include "sctp/wire.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sys/time.h>
#include <vector>

namespace {

using namespace asiortc;

base::time_point virtual_time{std::chrono::hours(1)};

std::uint32_t read_u32(base::byte_span data, std::size_t at) {
  return base::byte_reader(data.subspan(at)).u32();
}

void add_to_u32(base::mutable_byte_span data, std::size_t at, std::uint32_t more) {
  if (at + 4 > data.size()) return;
  const std::uint32_t sum = read_u32(data, at) + more;
  for (std::size_t i = 0; i < 4; ++i) data[at + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
}

/// What a handshake told: where one end's numbers begin.
struct numbers {
  std::uint32_t tag = 0;
  std::uint32_t tsn = 0;
};

class fuzzed_pair {
 public:
  fuzzed_pair() {
    a_->connect(virtual_time);
    b_->connect(virtual_time);
    for (int round = 0; round < 6; ++round) exchange();
  }

  void run(base::byte_span script) {
    base::byte_reader reader(script);
    while (reader.remaining() >= 3) {
      const std::uint8_t operation = reader.u8();
      const std::size_t size = reader.u16() % 1200;
      step(operation, reader.take(std::min(size, reader.remaining())));
    }
    exchange();
  }

 private:
  void step(std::uint8_t operation, base::byte_span argument) {
    base::byte_reader reader(argument);
    switch (operation % 8) {
      case 0:
      case 1:
        return forge(argument, true);
      case 2:
        return forge(argument, false);
      case 3:
        return pass_time(reader.u8());
      case 4:
        return send(reader);
      case 5:
        return reset(reader);
      case 6:
        return a_->pause_receive((reader.u8() & 1) != 0);
      default:
        return exchange();
    }
  }

  /// A packet to a with these chunks; with `shifted`, TSNs and the like count from the true ones.
  void forge(base::byte_span chunks, bool shifted) {
    base::bytes packet;
    base::byte_writer out(packet);
    out.u16(5000);
    out.u16(5000);
    out.u32(a_numbers_.tag);
    out.u32(0);
    out.append(chunks);
    if (shifted) shift(packet);
    sctp::write_checksum(packet);
    base::packet_batch batch;
    batch.append(packet);
    a_->handle_packets(virtual_time, batch);
    drain();
  }

  void shift(base::mutable_byte_span packet) {
    const base::byte_span whole = packet;
    sctp::for_each_chunk(whole, [&](const sctp::chunk& part) {
      const auto at = static_cast<std::size_t>(part.body.data() - whole.data());
      switch (static_cast<std::uint8_t>(part.type)) {
        case 0:    // DATA
        case 192:  // FORWARD TSN
          return add_to_u32(packet, at, b_numbers_.tsn);
        case 3:  // SACK
        case 7:  // SHUTDOWN
          return add_to_u32(packet, at, a_numbers_.tsn);
        case 130:  // RE-CONFIG: request number, response number, last TSN
          add_to_u32(packet, at + 4, b_numbers_.tsn);
          add_to_u32(packet, at + 8, a_numbers_.tsn);
          return add_to_u32(packet, at + 12, b_numbers_.tsn);
        default:
          return;
      }
    });
  }

  void pass_time(std::uint8_t tens) {
    virtual_time += std::chrono::milliseconds(10 * (tens + 1));
    sctp::usrsctp_engine().tick(virtual_time);
    exchange();
  }

  void send(base::byte_reader& reader) {
    sctp::send_options options;
    options.stream = sctp::stream_id{reader.u16()};
    const std::uint8_t how = reader.u8();
    options.unordered = (how & 1) != 0;
    if ((how & 2) != 0) options.max_retransmits = static_cast<std::uint16_t>(how >> 4);
    if ((how & 4) != 0) options.lifetime = std::chrono::milliseconds(how);
    const base::bytes payload(1 + reader.u16() % 20000U, how);
    static_cast<void>(a_->send(virtual_time, options, payload));
  }

  void reset(base::byte_reader& reader) {
    std::vector<sctp::stream_id> streams;
    while (reader.remaining() >= 2) streams.push_back(sctp::stream_id{reader.u16()});
    a_->reset_streams(virtual_time, streams);
  }

  void exchange() {
    base::packet_batch batch;
    a_->poll_packets(batch);
    learn(batch, a_numbers_);
    b_->handle_packets(virtual_time, batch);
    batch.clear();
    b_->poll_packets(batch);
    learn(batch, b_numbers_);
    a_->handle_packets(virtual_time, batch);
    drain();
  }

  /// INIT and INIT ACK begin with the tag and carry the first TSN (RFC 9260 3.3.2).
  static void learn(const base::packet_batch& batch, numbers& of) {
    for (const auto& entry : batch.entries()) {
      sctp::for_each_chunk(batch.view(entry), [&of](const sctp::chunk& part) {
        const auto type = static_cast<std::uint8_t>(part.type);
        if ((type != 1 && type != 2) || part.body.size() < 16) return;
        of = {read_u32(part.body, 0), read_u32(part.body, 12)};
      });
    }
  }

  void drain() {
    while (const auto event = a_->poll_event()) {
      const auto* message = std::get_if<sctp::message_received>(&*event);
      if (message != nullptr && message->payload.size() > limit) std::abort();
    }
    while (b_->poll_event()) {
    }
    if (a_->unacknowledged() > (std::size_t{64} << 20)) std::abort();
  }

  static constexpr std::size_t limit = 65536;
  static sctp::settings make_settings() {
    sctp::settings result;
    result.max_receive_message_size = limit;
    return result;
  }

  std::unique_ptr<sctp::association> a_ = sctp::usrsctp_engine().create(make_settings(), {});
  std::unique_ptr<sctp::association> b_ = sctp::usrsctp_engine().create(make_settings(), {});
  numbers a_numbers_;
  numbers b_numbers_;
};

}  // namespace

// usrsctp's clock; time passes only where the bytes say so.
extern "C" __attribute__((visibility("default"))) int gettimeofday(struct timeval* result,
                                                                   void*) noexcept {
  const auto since = virtual_time.time_since_epoch().count();
  result->tv_sec = since / 1000000;
  result->tv_usec = since % 1000000;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  {
    fuzzed_pair ends;
    ends.run({data, size});
  }
  // What the engine keeps for a while is let go, so that inputs do not add up.
  virtual_time += std::chrono::seconds(1);
  sctp::usrsctp_engine().tick(virtual_time);
  return 0;
}
