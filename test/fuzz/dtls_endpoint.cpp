// A client and a server, their wire in the fuzzer's hands: it says of each packet whether it is
// lost, doubled, held back or altered, puts datagrams of its own between, and brings old ones
// again.
#include "dtls/endpoint.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

using namespace asiortc;

namespace {

constexpr int longest_run = 60;
constexpr std::size_t most_kept = 100;

/// ECDSA, made once: the handshake is slow enough.
const std::shared_ptr<const crypto::identity>& shared_identity() {
  static const auto made =
      crypto::identity::generate(crypto::key_type::ecdsa_p256, 1'750'000'000, 1'760'000'000)
          .value();
  return made;
}

dtls::settings make_settings() {
  dtls::settings settings;
  settings.identity = shared_identity();
  settings.remote_fingerprints = {
      shared_identity()->get_fingerprint(crypto::hash_algorithm::sha256)};
  return settings;
}

class joined_endpoints {
 public:
  explicit joined_endpoints(base::byte_span script) : script_(script) {}

  void run() {
    for (int step = 0; step < longest_run && script_.remaining() > 0; ++step) {
      if (step == 1) server_->start(now_, dtls::role::server);
      if (step == 0) client_->start(now_, dtls::role::client);
      carry(*client_, *server_);
      carry(*server_, *client_);
      act();
    }
  }

 private:
  /// One step of the script: data, a datagram from nowhere, time, or an end.
  void act() {
    const std::uint8_t what = script_.u8();
    dtls::endpoint& target = (what & 0x80) != 0 ? *client_ : *server_;
    switch (what & 7) {
      case 0:
      case 1:
        return inject(target, what & 0x40);
      case 2:
      case 3:
        return send(target);
      case 4:
        now_ = std::max(now_, std::min(target.next_deadline(), now_ + std::chrono::seconds(5)));
        return target.handle_timeout(now_);
      case 5:
        if ((what & 0x70) == 0x70) target.close(now_);
        return;
      case 7:
        return (what & 0x40) != 0 ? export_from(target) : repeat(target);
      default:
        return;
    }
  }

  /// One or two of the datagrams that went to the target before, as one.
  void repeat(dtls::endpoint& target) {
    const auto& old = &target == client_.get() ? to_client_ : to_server_;
    if (old.empty()) return;
    base::bytes datagram = old[script_.u8() % old.size()];
    const auto& second = old[script_.u8() % old.size()];
    if (script_.u8() % 2 == 1) datagram.insert(datagram.end(), second.begin(), second.end());
    deliver(target, datagram);
  }

  static void export_from(dtls::endpoint& from) {
    const auto material = from.export_keying_material("EXTRACTOR-dtls_srtp", 60);
    if (material.has_value() != (from.current_state() == dtls::state::connected)) std::abort();
  }

  void inject(dtls::endpoint& target, bool with_header) {
    base::bytes datagram;
    if (with_header) {
      // A record of a chosen type in epoch 0 or 1, so that junk gets past the header.
      const std::uint8_t kind = script_.u8();
      base::byte_writer writer(datagram);
      writer.u8(static_cast<std::uint8_t>(20 + (kind & 3)));
      writer.u16(0xfefd);
      writer.u16(kind >> 7);
      writer.zeros(5);
      writer.u8(kind);
      writer.u16(script_.u8() & 63);
    }
    const std::size_t size = std::min<std::size_t>(script_.u8(), script_.remaining());
    const auto content = script_.take(size);
    datagram.insert(datagram.end(), content.begin(), content.end());
    deliver(target, datagram);
  }

  void send(dtls::endpoint& from) {
    base::packet_batch out;
    const std::string data = "application data " + std::to_string(next_data_++);
    const bool sealed = from.seal(base::as_bytes(data), out);
    if (sealed != (from.current_state() == dtls::state::connected)) std::abort();
    relay(out, &from == client_.get() ? *server_ : *client_);
  }

  void carry(dtls::endpoint& from, dtls::endpoint& to) {
    base::packet_batch out;
    from.poll_transmit(out);
    relay(out, to);
  }

  void relay(const base::packet_batch& out, dtls::endpoint& to) {
    for (const auto& entry : out.entries()) {
      const auto view = out.view(entry);
      base::bytes packet(view.begin(), view.end());
      auto& old = &to == client_.get() ? to_client_ : to_server_;
      if (old.size() < most_kept) old.push_back(packet);
      const std::uint8_t fate = script_.u8();
      if ((fate & 7) == 1) continue;
      if ((fate & 7) == 2) deliver(to, packet);
      if ((fate & 7) == 3) packet[script_.u16() % packet.size()] ^= script_.u8();
      if ((fate & 7) == 4) packet.resize(script_.u16() % packet.size());
      deliver(to, packet);
    }
  }

  void deliver(dtls::endpoint& to, base::bytes packet) {
    base::packet_batch plain;
    to.handle_datagram(now_, packet, plain);
    // Only what a peer with the right certificate sealed ever comes out, and that once.
    for (const auto& entry : plain.entries()) {
      const std::string data(base::as_text(plain.view(entry)));
      if (!data.starts_with("application data ") || !seen_.insert(data).second) std::abort();
    }
    while (to.poll_event()) {
    }
  }

  base::byte_reader script_;
  std::vector<base::bytes> to_client_;
  std::vector<base::bytes> to_server_;
  std::set<std::string> seen_;
  int next_data_ = 0;
  base::time_point now_{std::chrono::hours(1)};
  std::unique_ptr<dtls::endpoint> client_ = dtls::make_openssl_endpoint(make_settings());
  std::unique_ptr<dtls::endpoint> server_ = dtls::make_openssl_endpoint(make_settings());
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  joined_endpoints({data, size}).run();
  return 0;
}
