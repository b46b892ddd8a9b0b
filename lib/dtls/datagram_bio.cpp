#include "dtls/datagram_bio.hpp"

#include <algorithm>

namespace asiortc::dtls {
namespace {

// A flight with a certificate chain is a few kilobytes. More than this waits only when nobody
// polls while the peer makes us repeat ourselves; what is over is lost as on a full wire.
constexpr std::size_t longest_queue = 64 * 1024;
constexpr long ip_and_udp_headers = 20 + 8;

}  // namespace

const BIO_METHOD* datagram_bio::method() {
  static BIO_METHOD* const made = [] {
    BIO_METHOD* fresh =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "asiortc datagrams");
    if (fresh == nullptr) return fresh;
    BIO_meth_set_write(fresh, &datagram_bio::write);
    BIO_meth_set_read(fresh, &datagram_bio::read);
    BIO_meth_set_ctrl(fresh, &datagram_bio::control);
    return fresh;
  }();
  return made;
}

BIO* datagram_bio::make_bio() {
  const BIO_METHOD* kind = method();
  BIO* bio = kind == nullptr ? nullptr : BIO_new(kind);
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

void datagram_bio::drain(base::packet_batch& out) {
  const auto& packets = queue_.entries();
  for (auto next = packets.begin(); next != packets.end();) {
    const auto room = out.allocate(std::max(mtu_, next->size));
    std::size_t used = 0;
    do {
      const auto packet = queue_.view(*next);
      std::copy(packet.begin(), packet.end(), room.begin() + static_cast<std::ptrdiff_t>(used));
      used += packet.size();
      ++next;
    } while (next != packets.end() && used + next->size <= mtu_);
    out.commit(used);
  }
  if (!queue_.empty()) queue_.release();
}

int datagram_bio::write(BIO* bio, const char* data, int size) {
  datagram_bio& self = of(bio);
  const base::byte_span packet(reinterpret_cast<const std::uint8_t*>(data),
                               static_cast<std::size_t>(size));
  self.written_.note(packet);
  if (self.queue_.total_bytes() + packet.size() <= longest_queue) self.queue_.append(packet);
  return size;
}

int datagram_bio::read(BIO* bio, char* out, int size) {
  datagram_bio& self = of(bio);
  BIO_clear_retry_flags(bio);
  if (self.incoming_.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  // A datagram that does not fit is cut, as a socket does; its last record then fails to parse.
  const std::size_t taken = std::min(self.incoming_.size(), static_cast<std::size_t>(size));
  std::copy_n(self.incoming_.begin(), taken, out);
  self.incoming_ = {};
  return static_cast<int>(taken);
}

long datagram_bio::control(BIO* bio, int command, long, void*) {
  const datagram_bio& self = of(bio);
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_PENDING:
      return static_cast<long>(self.incoming_.size());
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return static_cast<long>(self.mtu_);
    case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
      // OpenSSL's smallest MTU is 256 less this; the MTU itself is told to it without headers.
      return ip_and_udp_headers;
    default:
      return 0;
  }
}

}  // namespace asiortc::dtls
