#include "signaling/websocket.hpp"

#include <asiortc/error.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <utility>

namespace asiortc::signaling {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ws = beast::websocket;
using boost::system::error_code;

/// A request line and headers of a browser with cookies fit well within.
constexpr std::uint32_t max_http_header = 16 * 1024;

/// For the other side's FIN after a WebSocket close; nothing is said any more, so it is short.
constexpr base::duration teardown_timeout = std::chrono::seconds(1);

enum class phase { handshaking, open, closing, gone };

using upgrade_request = http::request<http::empty_body>;

/// Names of subprotocols are compared as they are, and may come in several header lines (RFC 6455
/// 4.2.2, 11.3.4).
bool offers_ours(const upgrade_request& request) {
  const auto [first, last] = request.equal_range(http::field::sec_websocket_protocol);
  return std::any_of(first, last, [](const auto& line) {
    const http::token_list names{line.value()};
    return std::find(names.begin(), names.end(), subprotocol) != names.end();
  });
}

/// The HTTP status with which a request is refused; `ok` for one that is not.
http::status judge(const upgrade_request& request, const origin_policy& policy) {
  if (request.target() != "/") return http::status::not_found;
  if (!ws::is_upgrade(request)) return http::status::bad_request;
  const auto origin = request.find(http::field::origin);
  if (origin != request.end() && !policy.allows({origin->value().data(), origin->value().size()})) {
    return http::status::forbidden;
  }
  return offers_ours(request) ? http::status::ok : http::status::bad_request;
}

std::string_view explain(http::status status) {
  if (status == http::status::not_found) return "There is nothing but a WebSocket at /\n";
  if (status == http::status::forbidden) return "Pages of this origin are not let in\n";
  return "This is a WebSocket server of the subprotocol asiortc.v1\n";
}

/// Whether something answered that is no WebSocket server, or one that declines.
bool is_no_upgrade(error_code code) {
  if (code == http::error::end_of_stream || code == http::error::partial_message) return false;
  return code.category() == make_error_code(http::error::bad_version).category() ||
         code.category() == make_error_code(ws::error::upgrade_declined).category();
}

/// Tells that Beast has written its close frame, or failed the connection (RFC 6455 7.1.7), and
/// waits for the other side's FIN from here on; that wait has no bound of its own.
struct watched_stream : beast::tcp_stream {
  using beast::tcp_stream::tcp_stream;
  std::function<void()> on_teardown;
};

template <class Handler>
void async_teardown(beast::role_type role, watched_stream& stream, Handler&& handler) {
  if (stream.on_teardown) stream.on_teardown();
  beast::async_teardown(role, static_cast<beast::tcp_stream&>(stream),
                        std::forward<Handler>(handler));
}

class beast_websocket final : public websocket,
                              public std::enable_shared_from_this<beast_websocket> {
 public:
  beast_websocket(asio::ip::tcp::socket socket, const websocket_settings& settings,
                  std::weak_ptr<websocket_owner> owner)
      : stream_(std::in_place, std::move(socket)),
        close_timer_(stream_->get_executor()),
        settings_(settings),
        owner_(std::move(owner)) {}

  void accept(origin_policy policy) override {
    policy_ = std::move(policy);
    parser_.emplace();
    parser_->header_limit(max_http_header);
    parser_->body_limit(std::uint64_t{0});
    transport().expires_after(settings_.handshake_timeout);
    http::async_read(transport(), buffer_, *parser_,
                     [self = under_way()](error_code code, std::size_t) {
                       if (code) return self->end(code);
                       self->answer_upgrade();
                     });
  }

  void connect(std::vector<asio::ip::tcp::endpoint> addresses, std::string host,
               std::string target) override {
    host_ = std::move(host);
    target_ = std::move(target);
    transport().expires_after(settings_.handshake_timeout);
    transport().async_connect(
        addresses, [self = under_way()](error_code code, const asio::ip::tcp::endpoint&) {
          if (code) return self->end(code);
          self->ask_upgrade();
        });
  }

  void send(std::string text) override {
    if (phase_ != phase::open) return;
    queue_.push_back(std::move(text));
    write_next();
  }

  void ping() override {
    if (phase_ != phase::open || pinging_) return;
    pinging_ = true;
    stream_->async_ping({}, [self = under_way()](error_code) { self->pinging_ = false; });
  }

  void close(close_code code, std::string reason, std::string last_words, bool discard) override {
    if (phase_ == phase::gone || phase_ == phase::closing) return;
    if (phase_ == phase::handshaking) return end(asio::error::operation_aborted);
    phase_ = phase::closing;
    // What is being written stays in front: its buffer is in use.
    if (discard) queue_.resize(std::min<std::size_t>(queue_.size(), writing_ ? 1 : 0));
    if (!last_words.empty()) queue_.push_back(std::move(last_words));
    close_reason_ = ws::close_reason(static_cast<ws::close_code>(code), reason);
    end_after(settings_.close_timeout);
    write_next();
  }

  void abort() override {
    owner_.reset();
    end(asio::error::operation_aborted);
  }

 private:
  watched_stream& transport() { return stream_->next_layer(); }

  void answer_upgrade() {
    if (phase_ == phase::gone) return;
    const http::status status = judge(parser_->get(), policy_);
    if (status != http::status::ok) return refuse_upgrade(status);
    prepare();
    stream_->set_option(ws::stream_base::decorator([](ws::response_type& response) {
      response.set(http::field::sec_websocket_protocol, subprotocol);
      response.set(http::field::server, "asiortc");
    }));
    stream_->async_accept(parser_->get(), [self = under_way()](error_code code) {
      self->parser_.reset();
      if (code) return self->end(code);
      self->open();
    });
  }

  void refuse_upgrade(http::status status) {
    refusal_.result(status);
    refusal_.version(11);
    refusal_.keep_alive(false);
    refusal_.set(http::field::server, "asiortc");
    refusal_.set(http::field::content_type, "text/plain");
    refusal_.body() = explain(status);
    refusal_.prepare_payload();
    http::async_write(transport(), refusal_, [self = under_way()](error_code, std::size_t) {
      if (self->phase_ == phase::gone) return;
      error_code ignored;
      self->transport().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      self->end(errc::signaling_protocol);
    });
  }

  void ask_upgrade() {
    if (phase_ == phase::gone) return;
    prepare();
    stream_->set_option(ws::stream_base::decorator([](ws::request_type& request) {
      request.set(http::field::sec_websocket_protocol, subprotocol);
      request.set(http::field::user_agent, "asiortc");
    }));
    stream_->async_handshake(response_, host_, target_, [self = under_way()](error_code code) {
      if (is_no_upgrade(code)) return self->end(errc::signaling_refused);
      if (code) return self->end(code);
      const auto chosen = self->response_[http::field::sec_websocket_protocol];
      if (chosen != subprotocol) return self->end(errc::signaling_protocol);
      self->open();
    });
  }

  void prepare() {
    transport().expires_never();  // from here Beast's own timer watches the handshake
    ws::stream_base::timeout limits{};
    limits.handshake_timeout =
        std::chrono::duration_cast<std::chrono::milliseconds>(settings_.handshake_timeout);
    limits.idle_timeout = ws::stream_base::none();
    stream_->set_option(limits);
    stream_->read_message_max(settings_.max_incoming);
    stream_->text(true);
    stream_->auto_fragment(false);
    error_code ignored;
    transport().socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  }

  void open() {
    if (phase_ != phase::handshaking) return;
    phase_ = phase::open;
    stream_->control_callback([weak = weak_from_this()](ws::frame_type kind, beast::string_view) {
      const auto self = weak.lock();
      if (!self) return;
      if (const auto owner = self->owner_.lock()) owner->on_alive(self->settings_.key);
      if (kind == ws::frame_type::close) self->part();
    });
    transport().on_teardown = [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->part();
    };
    buffer_.clear();
    if (const auto owner = owner_.lock()) owner->on_open(settings_.key);
    read_next();
  }

  void read_next() {
    if (phase_ == phase::gone) return;
    stream_->async_read(buffer_, [self = under_way()](error_code code, std::size_t) {
      if (code) return self->end(code);
      self->deliver();
      self->read_next();
    });
  }

  void deliver() {
    const auto owner = owner_.lock();
    if (owner && phase_ == phase::open) {
      const auto content = buffer_.cdata();
      const std::string_view text(static_cast<const char*>(content.data()), content.size());
      if (stream_->got_text()) {
        owner->on_text(settings_.key, text);
      } else {
        owner->on_binary(settings_.key);
      }
    }
    buffer_.clear();
  }

  void write_next() {
    if (writing_ || phase_ == phase::gone) return;
    if (queue_.empty()) {
      if (phase_ == phase::closing) write_close();
      return;
    }
    writing_ = true;
    stream_->async_write(asio::buffer(queue_.front()),
                         [self = under_way()](error_code code, std::size_t size) {
                           self->writing_ = false;
                           if (code) return self->end(code);
                           self->queue_.pop_front();
                           if (const auto owner = self->owner_.lock()) {
                             owner->on_sent(self->settings_.key, size);
                           }
                           self->write_next();
                         });
  }

  /// The WebSocket is closed, whatever becomes of TCP: nothing more is sent or heard.
  void part() {
    if (phase_ == phase::gone || std::exchange(parted_, true)) return;
    phase_ = phase::closing;
    close_sent_ = true;  // by Beast
    queue_.resize(std::min<std::size_t>(queue_.size(), writing_ ? 1 : 0));
    end_after(std::min(teardown_timeout, settings_.close_timeout));
  }

  void end_after(base::duration limit) {
    close_timer_.expires_after(limit);
    close_timer_.async_wait([self = shared_from_this()](error_code failed) {
      if (!failed) self->end(beast::error::timeout);
    });
  }

  void write_close() {
    if (std::exchange(close_sent_, true)) return;
    stream_->async_close(close_reason_, [self = under_way()](error_code code) {
      self->end(code ? code : error_code(ws::error::closed));
    });
  }

  /// The one way out. That a WebSocket was closed first is a good end, however TCP ends.
  void end(error_code code) {
    if (phase_ == phase::gone) return;
    const bool was_open = phase_ != phase::handshaking;
    phase_ = phase::gone;
    close_timer_.cancel();
    websocket_end how;
    if (was_open) {
      how.code = stream_->reason().code;
      how.reason = std::string(stream_->reason().reason.data(), stream_->reason().reason.size());
    }
    const bool closed = parted_ || code == ws::error::closed;
    // Beast's timeouts and ends are to our callers what Asio's are.
    if (code == beast::error::timeout) code = asio::error::timed_out;
    if (code == http::error::end_of_stream || code == http::error::partial_message) {
      code = asio::error::eof;
    }
    if (code == ws::error::message_too_big) code = errc::signaling_protocol;
    if (!closed) how.error = code;
    transport().close();
    drop_stuck_operations();
    const auto owner = owner_.lock();
    owner_.reset();
    if (!owner) return;
    // Posted, since a call of the owner's may have led here.
    asio::post(close_timer_.get_executor(),
               [owner, key = settings_.key, how = std::move(how)] { owner->on_gone(key, how); });
  }

  /// Ends with the last of the stream's operations.
  struct operations {
    explicit operations(std::shared_ptr<beast_websocket> whose) : of(std::move(whose)) {}
    operations(const operations&) = delete;
    operations& operator=(const operations&) = delete;
    ~operations() {
      if (of->phase_ == phase::gone) of->close_timer_.cancel();
    }
    std::shared_ptr<beast_websocket> of;
  };

  /// For the handler of an operation of the stream.
  std::shared_ptr<beast_websocket> under_way() {
    auto all = operations_.lock();
    if (!all) {
      all = std::make_shared<operations>(shared_from_this());
      operations_ = all;
    }
    return {all, this};
  }

  /// A close of ours that meets the other side's may leave Beast's read and close waiting for each
  /// other, which keeps both, and the context's work, until the stream is destroyed. All others
  /// complete at once, now that the socket is closed.
  void drop_stuck_operations() {
    if (operations_.expired()) return;
    close_timer_.expires_after(teardown_timeout);
    close_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->stream_.reset();
    });
  }

  std::optional<ws::stream<watched_stream>> stream_;  ///< until some time after the end
  asio::steady_timer close_timer_;
  std::weak_ptr<operations> operations_;
  websocket_settings settings_;
  std::weak_ptr<websocket_owner> owner_;
  origin_policy policy_;
  phase phase_ = phase::handshaking;

  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> refusal_;
  ws::response_type response_;
  std::string host_;
  std::string target_;

  std::deque<std::string> queue_;
  bool writing_ = false;
  bool pinging_ = false;
  bool close_sent_ = false;
  bool parted_ = false;
  ws::close_reason close_reason_;
};

}  // namespace

bool origin_policy::allows(std::string_view origin) const {
  return allow_any || std::ranges::find(allowed, origin) != allowed.end();
}

std::shared_ptr<websocket> make_websocket(asio::ip::tcp::socket socket,
                                          const websocket_settings& settings,
                                          std::weak_ptr<websocket_owner> owner) {
  return std::make_shared<beast_websocket>(std::move(socket), settings, std::move(owner));
}

}  // namespace asiortc::signaling
