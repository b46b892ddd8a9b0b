// Who may become a peer of a mesh, and how peers come and go.
#include "mesh/mesh_channels.hpp"
#include "net/mesh_support.hpp"

#include <map>

namespace asiortc::test {
namespace {

using namespace std::chrono_literals;

/// What adding a connection in the state new is refused with; the connection is not taken then.
boost::system::error_code refusal(asio::io_context& context, mesh& net, mesh_id id,
                                  std::chrono::milliseconds lifetime, std::string& words) {
  peer_connection connection(context.get_executor());
  try {
    net.add_peer(std::move(connection), id, lifetime);
  } catch (const error& refused) {
    words = refused.what();
    CHECK(connection.connection_state() == connection_state::new_);
    connection.close();
    return refused.code();
  }
  return {};
}

template <class Make>
boost::system::error_code thrown(Make make) {
  try {
    make();
  } catch (const error& refused) {
    return refused.code();
  }
  return {};
}

data_channel_init with_id(std::uint16_t id) {
  data_channel_init init;
  init.negotiated = true;
  init.id = id;
  return init;
}

asio::awaitable<void> show_channels(mesh& net) {
  co_await expect_connected(net, 2);
  const auto connection = net.get_peer(2)->connection;
  auto report = co_await connection->async_get_stats();
  std::map<std::string, std::uint16_t> shown;
  for (const auto& channel : report.data_channels) {
    shown.emplace(channel.label, channel.data_channel_identifier.value_or(0));
  }
  const std::map<std::string, std::uint16_t> godots{
      {"reliable", 1}, {"ordered", 2}, {"unreliable", 3}};
  CHECK(report.data_channels.size() == 3);
  CHECK(shown == godots);
  co_await net.async_close();
}

asio::awaitable<void> come_and_be_removed(mesh_node& first, mesh_node& second) {
  CHECK(first.net.has_peer(2));
  CHECK_FALSE(first.net.get_peer(2)->connected);
  CHECK(first.net.get_peer(2)->reliable == data_channel_state::connecting);
  co_await expect_connected(first.net, 2);
  co_await expect_connected(second.net, 1);
  auto shown = first.net.get_peer(2);
  CHECK(shown->connected);
  CHECK(shown->connection->connection_state() == connection_state::connected);
  CHECK(shown->reliable == data_channel_state::open);
  CHECK(shown->ordered == data_channel_state::open);
  CHECK(shown->unreliable == data_channel_state::open);
  CHECK(first.net.get_peers().size() == 1);
  CHECK(first.net.get_peers().front().id == 2);

  first.net.remove_peer(2);
  CHECK_FALSE(first.net.has_peer(2));
  CHECK_FALSE(first.net.get_peer(2).has_value());
  CHECK(first.net.get_peers().empty());
  auto removed = co_await expect(first.net, mesh_event_kind::peer_disconnected, 2);
  CHECK_FALSE(removed.reason);
  co_await expect(second.net, mesh_event_kind::peer_disconnected, 1);
  CHECK_FALSE(second.net.has_peer(1));
  co_await first.net.async_close();
  co_await second.net.async_close();
}

asio::awaitable<void> lose_by_channel(plain_peer& other, mesh& net, std::size_t closed_id) {
  co_await expect_connected(net, 5);
  co_await other.channel(closed_id).async_close();
  co_await expect(net, mesh_event_kind::peer_disconnected, 5);
  CHECK_FALSE(net.has_peer(5));
  co_await net.async_close();
  co_await other.connection.async_close();
}

asio::awaitable<void> lose_by_close(plain_peer& other, mesh& net) {
  co_await expect_connected(net, 5);
  other.connection.close();
  auto gone = co_await expect(net, mesh_event_kind::peer_disconnected, 5);
  CHECK(gone.reason == errc::remote_closed);
  co_await net.async_close();
}

asio::awaitable<void> fail_before_connecting(mesh_node& node,
                                             std::shared_ptr<signaling_pipe> far_end) {
  far_end->close();
  auto failed = co_await expect(node.net, mesh_event_kind::peer_failed, 2);
  CHECK(failed.reason == errc::signaling_lost);
  CHECK_FALSE(node.net.has_peer(2));
  co_await node.net.async_close();
}

asio::awaitable<void> fail_to_connect(mesh& net) {
  auto failed = co_await expect(net, mesh_event_kind::peer_failed, 2);
  CHECK(failed.reason == errc::no_remote_candidates);
  co_await net.async_close();
}

/// No address, so that no connection comes about.
configuration without_address() {
  configuration config;
  config.interface_filter = [](const interface_address&) { return false; };
  config.timeouts.no_candidates_grace = 100ms;
  config.timeouts.ice_failed = 300ms;
  return config;
}

configuration soon_disconnected() {
  configuration config;
  config.timeouts.disconnected = 200ms;
  config.timeouts.consent_interval = 50ms;
  return config;
}

/// A mesh and, on a context that can be left alone, its peer 2.
struct two_contexts {
  explicit two_contexts(std::chrono::milliseconds grace)
      : here(near.get_executor(), 1, with_grace(grace), soon_disconnected()),
        there(far.get_executor(), 2, mesh_options(), configuration()) {
    auto pipes = make_signaling_pipe_pair(near.get_executor());
    here.add(2, pipes.first);
    there.add(1, pipes.second);
    CHECK(run_both(near, far, [this] { return here.net.get_peer(2)->connected; }));
    CHECK(here.net.events().try_next()->kind == mesh_event_kind::peer_connected);
  }

  ~two_contexts() { end_all(near, far, here, there); }

  static mesh_options with_grace(std::chrono::milliseconds grace) {
    mesh_options options;
    options.disconnected_grace = grace;
    return options;
  }
  connection_state state() { return here.net.get_peer(2)->connection->connection_state(); }

  asio::io_context near;
  asio::io_context far;
  asio::io_context nobody;
  mesh_node here;
  mesh_node there;
};

}  // namespace

TEST_CASE("mesh: an id outside of 1 to 2147483647, its own or one in use is an error") {
  asio::io_context context;
  std::string words;
  CHECK(thrown([&] { mesh(context, 0); }) == errc::type_error);
  CHECK(thrown([&] { mesh(context, -7); }) == errc::type_error);
  mesh net(context, 2147483647);
  CHECK(net.id() == 2147483647);
  CHECK(refusal(context, net, 0, 1ms, words) == errc::type_error);
  CHECK(words.find("the id 0 is not from 1 to 2147483647") != std::string::npos);
  CHECK(refusal(context, net, -1, 1ms, words) == errc::type_error);
  CHECK(refusal(context, net, 2147483647, 1ms, words) == errc::operation_error);
  CHECK(words.find("the id 2147483647 is this side's own") != std::string::npos);
  CHECK_FALSE(refusal(context, net, 7, 1ms, words));
  CHECK(refusal(context, net, 7, 1ms, words) == errc::operation_error);
  CHECK(words.find("the id 7 is in use") != std::string::npos);
  CHECK(thrown([&] { net.set_id(7); }) == errc::operation_error);
  CHECK(thrown([&] { net.set_id(0); }) == errc::type_error);
  net.set_id(8);
  CHECK(refusal(context, net, 8, 1ms, words) == errc::operation_error);
  CHECK_FALSE(refusal(context, net, 2147483647, 1ms, words));
}

TEST_CASE("mesh: a negative or too long lifetime and options out of bounds are errors") {
  asio::io_context context;
  std::string words;
  mesh net(context, 1);
  CHECK(refusal(context, net, 2, -1ms, words) == errc::type_error);
  CHECK(words.find("lifetime is not from 0 to 65535 ms") != std::string::npos);
  CHECK(refusal(context, net, 2, 65536ms, words) == errc::type_error);
  CHECK(words.find("lifetime is not from 0 to 65535 ms") != std::string::npos);
  CHECK_FALSE(net.has_peer(2));
  CHECK_FALSE(refusal(context, net, 2, 0ms, words));
  const auto with = [&](auto change) {
    mesh_options options;
    change(options);
    return thrown([&] { mesh(context, 1, options); });
  };
  CHECK(with([](auto& options) { options.max_peers = 0; }) == errc::type_error);
  CHECK(with([](auto& options) { options.max_packet_size = 0; }) == errc::type_error);
  CHECK(with([](auto& options) { options.receive_budget = 1; }) == errc::type_error);
  CHECK(with([](auto& options) { options.disconnected_grace = -1ms; }) == errc::type_error);
}

TEST_CASE("mesh: add_peer fails while new connections are refused, and past the bound") {
  asio::io_context context;
  std::string words;
  mesh_options options;
  options.refuse_new_connections = true;
  options.max_peers = 2;
  mesh net(context, 1, options);
  CHECK(refusal(context, net, 2, 1ms, words) == errc::invalid_state);
  CHECK(words.find("refuses new connections") != std::string::npos);
  net.set_refuse_new_connections(false);
  CHECK_FALSE(net.refuse_new_connections());
  CHECK_FALSE(refusal(context, net, 2, 1ms, words));
  CHECK_FALSE(refusal(context, net, 3, 1ms, words));
  CHECK(refusal(context, net, 4, 1ms, words) == errc::limit_reached);
  net.set_refuse_new_connections(true);
  CHECK(net.has_peer(2));
}

TEST_CASE("mesh: a peer that is removed counts until its connection is closed") {
  asio::io_context context;
  std::string words;
  mesh_options options;
  options.max_peers = 1;
  mesh net(context, 1, options);
  CHECK_FALSE(refusal(context, net, 2, 1ms, words));
  net.remove_peer(2);
  CHECK(net.get_peers().empty());
  REQUIRE(refusal(context, net, 3, 1ms, words) == errc::limit_reached);
  context.run();
  CHECK_FALSE(refusal(context, net, 3, 1ms, words));
}

TEST_CASE("mesh: only a connection that is new is added, and the mesh sends no description") {
  asio::io_context context;
  mesh net(context, 1);
  peer_connection connection(context);
  net.add_peer(std::move(connection), 2);
  context.poll();
  const auto held = net.get_peer(2)->connection;
  CHECK(held->connection_state() == connection_state::new_);
  CHECK(held->signaling_state() == signaling_state::stable);
  CHECK_FALSE(held->local_description().has_value());
  CHECK(held->negotiation_needed().try_next().has_value());

  peer_pair begun(context.get_executor());
  auto channel = begun.first.create_data_channel("before");
  run(context,
      [](data_channel& open) -> asio::awaitable<void> { co_await open.async_open(); }(channel));
  CHECK(thrown([&] { net.add_peer(std::move(begun.first), 3); }) == errc::invalid_state);
  CHECK(begun.first.connection_state() == connection_state::connected);
}

TEST_CASE("mesh: a connection that is refused is as it was, and can be added at once") {
  asio::io_context context;
  mesh net(context, 1);
  peer_connection connection(context);
  CHECK(thrown([&] { net.add_peer(std::move(connection), 2, 65536ms); }) == errc::type_error);
  CHECK(thrown([&] { net.add_peer(std::move(connection), 1); }) == errc::operation_error);
  context.poll();
  CHECK_FALSE(connection.negotiation_needed().try_next().has_value());
  net.add_peer(std::move(connection), 2);

  for (std::uint16_t taken = 1; taken <= 3; ++taken) {
    CAPTURE(taken);
    peer_connection other(context);
    const auto own = other.create_data_channel("in the way", with_id(taken));
    CHECK(thrown([&] { net.add_peer(std::move(other), 3); }) == errc::operation_error);
    CHECK_FALSE(net.has_peer(3));
    for (std::uint16_t id = 1; id <= 3; ++id) {
      if (id != taken) CHECK_NOTHROW((void)other.create_data_channel("free", with_id(id)));
    }
  }
}

TEST_CASE("mesh: the three channels have the labels, ids and options of Godot") {
  asio::io_context context;
  peer_connection connection(context);
  const auto channels = detail::make_mesh_channels(connection, 20ms);
  const auto& at = [&](transfer_mode mode) -> const data_channel& {
    return channels[static_cast<std::size_t>(mode)];
  };
  CHECK(at(transfer_mode::reliable).label() == "reliable");
  CHECK(at(transfer_mode::unreliable_ordered).label() == "ordered");
  CHECK(at(transfer_mode::unreliable).label() == "unreliable");
  for (const auto& channel : channels) {
    CHECK(channel.init().negotiated);
    CHECK_FALSE(channel.init().max_retransmits.has_value());
    CHECK(channel.init().protocol.empty());
  }
  const auto& reliable = at(transfer_mode::reliable).init();
  CHECK(reliable.id == 1);
  CHECK(reliable.ordered);
  CHECK_FALSE(reliable.max_packet_life_time.has_value());
  const auto& ordered = at(transfer_mode::unreliable_ordered).init();
  CHECK(ordered.id == 2);
  CHECK(ordered.ordered);
  CHECK(ordered.max_packet_life_time == 20ms);
  const auto& unreliable = at(transfer_mode::unreliable).init();
  CHECK(unreliable.id == 3);
  CHECK_FALSE(unreliable.ordered);
  CHECK(unreliable.max_packet_life_time == 20ms);
}

TEST_CASE("mesh: a peer has those three channels alone, by their labels") {
  asio::io_context context;
  mesh_node first(context.get_executor(), 1);
  mesh_node second(context.get_executor(), 2);
  link(first, second);
  run(context, show_channels(first.net));
}

TEST_CASE("mesh: a peer is there before it is connected, and gone when it is removed") {
  asio::io_context context;
  mesh_node first(context.get_executor(), 1);
  mesh_node second(context.get_executor(), 2);
  CHECK(first.net.connection_status() == mesh_status::connected);  // without a server, at once
  CHECK_FALSE(first.net.has_peer(2));
  CHECK(thrown([&] { first.net.remove_peer(2); }) == errc::peer_not_found);
  link(first, second);
  run(context, come_and_be_removed(first, second));
  CHECK(first.net.connection_status() == mesh_status::disconnected);
}

TEST_CASE("mesh: nobody is told of a peer that is removed before it was connected") {
  asio::io_context context;
  mesh_node first(context.get_executor(), 1);
  mesh_node second(context.get_executor(), 2);
  link(first, second);
  first.net.remove_peer(2);
  CHECK_FALSE(first.net.has_peer(2));
  run(context, [](mesh_node& one) -> asio::awaitable<void> {
    co_await one.net.async_close();
    auto events = one.net.events();
    auto event = co_await events.async_next();
    CHECK_FALSE(event.has_value());
  }(first));
}

TEST_CASE("mesh: a peer is removed when any of its channels is closed") {
  for (std::size_t id = 1; id <= 3; ++id) {
    CAPTURE(id);
    asio::io_context context;
    mesh_node node(context.get_executor(), 1);
    plain_peer other(context.get_executor(), node, 5);
    run(context, lose_by_channel(other, node.net, id));
  }
}

TEST_CASE("mesh: a peer is removed when its connection closes or fails") {
  asio::io_context context;
  mesh_node node(context.get_executor(), 1);
  plain_peer other(context.get_executor(), node, 5);
  run(context, lose_by_close(other, node.net));

  mesh_node lonely(context.get_executor(), 1);
  auto pipes = make_signaling_pipe_pair(context.get_executor());
  lonely.add(2, pipes.first);
  run(context, fail_before_connecting(lonely, pipes.second));

  mesh_node hidden(context.get_executor(), 1, mesh_options(), without_address());
  // The other waits longer, or the end of its pipe might be the first sign.
  configuration patient = without_address();
  patient.timeouts.no_candidates_grace = 20s;
  patient.timeouts.ice_failed = 20s;
  mesh_node hidden_too(context.get_executor(), 2, mesh_options(), patient);
  link(hidden, hidden_too);
  run(context, fail_to_connect(hidden.net));
}

TEST_CASE("mesh: without a grace a disconnected peer is removed at once") {
  two_contexts both(0ms);
  CHECK(run_both(both.near, both.nobody, [&] { return !both.here.net.has_peer(2); }));
  CHECK(both.here.net.events().try_next()->kind == mesh_event_kind::peer_disconnected);
}

TEST_CASE("mesh: a transient disconnect within the grace is none") {
  two_contexts both(60s);
  CHECK(run_both(both.near, both.nobody,
                 [&] { return both.state() == connection_state::disconnected; }));
  CHECK(run_both(both.near, both.far, [&] { return both.state() == connection_state::connected; }));
  CHECK(both.here.net.has_peer(2));
  CHECK_FALSE(both.here.net.events().try_next().has_value());
}

TEST_CASE("mesh: a peer that stays disconnected is removed after the grace") {
  two_contexts both(300ms);
  CHECK(run_both(both.near, both.nobody,
                 [&] { return both.state() == connection_state::disconnected; }));
  const auto since = std::chrono::steady_clock::now();
  CHECK(run_both(both.near, both.nobody, [&] { return !both.here.net.has_peer(2); }));
  CHECK(std::chrono::steady_clock::now() - since > 200ms);
  CHECK(both.here.net.events().try_next()->kind == mesh_event_kind::peer_disconnected);
}

TEST_CASE("mesh: close does not wait for a peer that async_close waits for") {
  two_contexts both(60s);
  bool closed = false;
  both.here.net.async_close([&](boost::system::error_code) { closed = true; });
  both.near.poll();
  CHECK_FALSE(closed);
  const auto since = std::chrono::steady_clock::now();
  both.here.net.close();
  CHECK(run_both(both.near, both.nobody, [&] { return closed; }));
  CHECK(std::chrono::steady_clock::now() - since < timeouts().close_drain / 6);
}

}  // namespace asiortc::test
