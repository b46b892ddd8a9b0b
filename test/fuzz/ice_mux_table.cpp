// The table of a shared port: what peers send and strangers send, in any order.
#include "base/bytes.hpp"
#include "ice/check_message.hpp"
#include "ice/mux_table.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

using namespace asiortc;

namespace {

constexpr ice::mux_limits limits{8, 20, 16};

struct script {
  explicit script(base::byte_span input) : reader(input), table(limits, 1) {}

  std::size_t index() { return reader.u8() % peers.size(); }
  std::string ufrag() { return "frag" + std::to_string(reader.u8() % 6); }
  base::route route() {
    const std::uint8_t octet = reader.u8();
    return {base::socket_id{1u + octet % 2},
            {base::ip_address::v4({10, 0, 0, octet}), reader.u8()}};
  }

  /// Raw bytes, a check, a question, or an answer to one of these.
  base::bytes packet() {
    const std::uint8_t kind = reader.u8();
    ice::check_request request;
    request.id[0] = reader.u8() % 16;
    if (kind % 4 == 0) {
      const auto raw = reader.take(std::min<std::size_t>(kind, reader.remaining()));
      return {raw.begin(), raw.end()};
    }
    if (kind % 4 == 1) return ice::build_server_request(request.id);
    const auto check = ice::build_check(request, {ufrag(), "secret"}, {ufrag(), "secret"});
    if (kind % 4 == 2) return check;
    return ice::build_success(*stun::message_view::parse(check), route().remote, {"x", "secret"});
  }

  void step() {
    const std::uint8_t operation = reader.u8();
    auto& peer = peers[index()];
    switch (operation % 8) {
      case 0:
        table.remove_peer(peer);
        peer = table.add_peer();
        break;
      case 1:
        table.add_ufrag(peer, ufrag());
        break;
      case 2:
        table.remove_ufrag(peer, ufrag());
        break;
      case 3: {
        const auto to = route();
        table.note_sent(now, peer, to, packet());
        break;
      }
      case 4: {
        const auto from = route();
        const auto found = table.find(now, from, packet());
        check_alive(found);
        break;
      }
      case 5:
        check_alive(table.find_partner(now, peer, packet()));
        break;
      case 6:
        table.remove_socket(base::socket_id{1u + reader.u8() % 2});
        break;
      default:
        now += std::chrono::seconds(reader.u8() % 40);
        break;
    }
  }

  void check_alive(ice::mux_peer found) const {
    const bool known = std::find(peers.begin(), peers.end(), found) != peers.end();
    if (found != ice::mux_peer::none && !known) std::abort();
  }

  base::byte_reader reader;
  ice::mux_table table;
  std::array<ice::mux_peer, 5> peers{};
  base::time_point now{};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  script run({data, size});
  for (auto& peer : run.peers) peer = run.table.add_peer();
  while (run.reader.remaining() > 0) {
    run.step();
    if (run.table.routes() > limits.routes) std::abort();
    if (run.table.requests() > limits.requests_a_peer * run.peers.size()) std::abort();
  }
  for (const auto peer : run.peers) run.table.remove_peer(peer);
  if (run.table.peers() + run.table.routes() + run.table.requests() != 0) std::abort();
  return 0;
}
