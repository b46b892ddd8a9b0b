// The state that a signaling client's handle, its operations and its pipes share.
#pragma once

#include "base/log.hpp"
#include "signaling/client_session.hpp"
#include "signaling/pipe_queue.hpp"
#include "signaling/url.hpp"
#include "signaling/wake_timer.hpp"
#include "signaling/websocket.hpp"

#include <asiortc/detail/context_listener.hpp>
#include <asiortc/detail/operation.hpp>
#include <asiortc/signaling_client.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace asiortc::inline ASIORTC_ABI::detail {

/// Members marked so may be called from any thread; all others run on the strand.
class client_state final : public context_listener, public signaling::websocket_owner {
 public:
  using handler_type = void_operation::handler_type;

  client_state(boost::asio::any_io_executor executor, signaling_client_options options);

  // From any thread.
  void watch() { watch_context(executor_); }
  void async_connect(std::string url, handler_type handler);
  void async_join(std::string room, std::string name, handler_type handler);
  void async_close(handler_type handler);
  void abandon();
  bool send(peer_id to, const peer_signal& value);
  [[nodiscard]] event_stream<signaling_event> events() const;
  [[nodiscard]] peer_id id() const;
  [[nodiscard]] std::vector<signaling_peer> peers() const;
  [[nodiscard]] std::vector<ice_server> ice_servers() const;
  [[nodiscard]] std::string refusal() const;
  [[nodiscard]] std::shared_ptr<signaling_pipe> pipe_to(peer_id peer);

  void on_open(std::uint64_t key) override;
  void on_text(std::uint64_t key, std::string_view text) override;
  void on_binary(std::uint64_t key) override;
  void on_alive(std::uint64_t key) override;
  void on_sent(std::uint64_t key, std::size_t size) override;
  void on_gone(std::uint64_t key, const signaling::websocket_end& end) override;
  void on_context_shutdown() noexcept override;

 private:
  enum class phase { fresh, resolving, connecting, open, ended };
  using waiter = std::shared_ptr<void_operation>;

  /// One other peer of the room.
  struct member {
    signaling_peer peer;
    bool was_here_before_us = false;
    std::shared_ptr<signaling::pipe_queue> inbox;
  };

  std::shared_ptr<client_state> self();
  template <class Function>
  void on_strand(Function function);
  waiter start_ending_with_cancel(handler_type handler);
  void complete(waiter& pending, boost::system::error_code code);
  void set_phase(phase next, std::string_view reason);

  void connect(const signaling::websocket_url& url);
  void resolve();
  void resolved(boost::system::error_code code,
                const std::vector<boost::asio::ip::address>& addresses);
  void join(const std::string& room, const std::string& name, const waiter& pending);
  void begin_close();
  void socket_gone();

  void pump();
  void perform(const signaling::session_text& what);
  void perform(const signaling::session_news& what);
  void perform(const signaling::session_end& what);
  void take(const signaling::joined_message& message);
  void take(const signaling::peer_joined_message& message);
  void take(const signaling::peer_left_message& message);
  void take(const signaling::peer_away_message& message);
  void take(const signaling::peer_back_message& message);
  void take(const signaling::signal_message& message);
  void take(const signaling::error_message& message);
  void take(const signaling::ice_servers_message& message);
  void take(const signaling::sealed_message& message);
  void take(const signaling::going_away_message& message);
  void take(const signaling::pong_message&) {}
  void take(const signaling::unknown_message&) {}
  void tell(signaling_event event);
  void tell(signaling_event_kind kind, peer_id about);

  void finish(boost::system::error_code reason, const std::string& words);

  boost::asio::any_io_executor executor_;
  boost::asio::any_io_executor strand_;
  signaling_client_options options_;
  base::logger log_;
  std::shared_ptr<event_queue<signaling_event>> events_;

  phase phase_ = phase::fresh;
  signaling::websocket_url url_;
  std::shared_ptr<name_resolver> resolver_;
  boost::asio::cancellation_signal resolve_cancel_;
  std::optional<boost::asio::steady_timer> resolve_timer_;
  std::optional<signaling::wake_timer> timer_;
  std::shared_ptr<signaling::websocket> socket_;
  std::optional<signaling::client_session> session_;
  waiter connecting_;
  waiter joining_;
  std::vector<waiter> closers_;
  std::atomic<bool> shut_down_ = false;
  std::atomic<std::size_t> unsent_ = 0;  ///< bytes of signals given to `send` and not yet written

  mutable std::mutex mutex_;  ///< a leaf: guards what follows, which any thread may read
  peer_id id_ = 0;
  std::vector<member> members_;
  std::vector<ice_server> ice_servers_;
  std::string refusal_;
};

}  // namespace asiortc::inline ASIORTC_ABI::detail
