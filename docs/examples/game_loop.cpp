// Three players of a game in one program: a mesh each, driven by nothing but poll() in every frame.
#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace asio = boost::asio;

constexpr std::uint8_t finish_line = 60;

std::vector<std::uint8_t> bytes(std::string_view text) { return {text.begin(), text.end()}; }

struct player {
  player(asio::io_context& context, asiortc::mesh_id id) : net(context, id) {}

  asiortc::mesh net;
  std::vector<asiortc::negotiation> sessions;
  std::map<asiortc::mesh_id, std::uint8_t> others;  // where they were seen last
  std::uint8_t position = 0;
};

void add(asio::io_context& context, player& me, asiortc::mesh_id id,
         std::shared_ptr<asiortc::signaling_pipe> pipe) {
  asiortc::peer_connection connection(context);
  me.net.add_peer(std::move(connection), id);
  me.sessions.push_back(asiortc::negotiate(*me.net.get_peer(id)->connection, std::move(pipe)));
}

void link(asio::io_context& context, player& one, player& other) {
  auto [one_end, other_end] = asiortc::make_signaling_pipe_pair(context.get_executor());
  add(context, one, other.net.id(), one_end);
  add(context, other, one.net.id(), other_end);
}

// Takes what has come and sends what is new. Nothing in here waits.
void process(player& me) {
  while (auto event = me.net.events().try_next()) {
    std::cout << me.net.id() << ": " << to_string(event->kind) << ' ' << event->id << '\n';
    if (event->kind == asiortc::mesh_event_kind::peer_connected) {
      me.net.async_send(event->id, bytes("good luck"), asiortc::transfer_mode::reliable,
                        asio::detached);
    }
  }
  while (auto packet = me.net.try_receive()) {
    if (packet->mode == asiortc::transfer_mode::reliable) {
      std::cout << me.net.id() << ": " << packet->from << " says " << packet->text() << '\n';
    } else if (packet->bytes.size() == 1) {
      me.others[packet->from] = packet->bytes[0];
    }
  }
  if (me.others.size() == 2 && me.position < finish_line) ++me.position;
  // A position is worth nothing when the next one is there, so it is not sent again when lost.
  std::vector<std::uint8_t> packet = {me.position};
  me.net.async_send(0, std::move(packet), asiortc::transfer_mode::unreliable, asio::detached);
}

// Whether somebody is at the finish line, and sees the others there.
bool finished(const player& me) {
  const auto arrived = [](const auto& other) { return other.second == finish_line; };
  return me.position == finish_line && std::all_of(me.others.begin(), me.others.end(), arrived);
}

int main() {
  asio::io_context context;
  auto work = asio::make_work_guard(context);  // else a poll() with nothing to do stops the context
  std::vector<player> players;
  for (asiortc::mesh_id id : {1, 2, 3}) players.emplace_back(context, id);
  link(context, players[0], players[1]);
  link(context, players[0], players[2]);
  link(context, players[1], players[2]);

  asio::steady_timer display(context);
  int frames = 0;
  while (!std::all_of(players.begin(), players.end(), finished) && frames < 6000) {
    context.poll();  // all of the network that is due, and no more
    for (player& each : players) process(each);
    ++frames;
    display.expires_after(std::chrono::milliseconds(5));
    display.wait();  // stands for the drawing of the frame, which ends with the display's own clock
  }
  const bool over = frames < 6000;
  std::cout << (over ? "all have finished" : "somebody is missing") << '\n';

  for (player& each : players) each.net.async_close(asio::detached);
  work.reset();
  context.run();  // until every socket is closed
  return over ? 0 : 1;
}
