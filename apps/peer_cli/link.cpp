#include "link.hpp"

#include "shared/text.hpp"

#include <utility>

namespace peer_cli {
namespace {

std::string shown_name(const asiortc::signaling_peer& peer) {
  return peer.name.empty() ? "peer-" + std::to_string(peer.id) : shared::printable(peer.name);
}

}  // namespace

link::link(const boost::asio::any_io_executor& executor, const asiortc::configuration& config,
           const asiortc::signaling_peer& peer, std::shared_ptr<asiortc::signaling_pipe> pipe,
           bool came_later, line_log::place begin)
    : id(peer.id),
      name(shown_name(peer)),
      connection(executor, config),
      negotiation(asiortc::negotiate(connection, std::move(pipe))),
      we_came_later(came_later),
      place(std::make_shared<line_log::place>(begin)) {}

void link::identify() {
  // Not the description's word: anybody can name another's fingerprint beside their own.
  if (const auto certificate = connection.remote_certificate()) person = certificate->value;
}

bool link::is_open() const {
  return now == stage::met && chat->state() == asiortc::data_channel_state::open;
}

bool link::is_connected() const {
  return connection.connection_state() == asiortc::connection_state::connected;
}

bool link::is_on_the_way() const {
  const auto state = connection.connection_state();
  return state == asiortc::connection_state::new_ || state == asiortc::connection_state::connecting;
}

}  // namespace peer_cli
