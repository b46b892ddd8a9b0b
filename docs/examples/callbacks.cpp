// Two peers with callbacks alone, and not one coroutine.
#include "on_each.hpp"

#include <asiortc/asiortc.hpp>

#include <boost/asio.hpp>

#include <iostream>
#include <memory>
#include <string>

namespace asio = boost::asio;
using boost::system::error_code;

// Every handler is called by context.run(), on its thread, and never from inside of the call that
// it was given to. What a handler uses must live until run() is over, as these two classes do.
class caller {
 public:
  caller(asio::io_context& context, std::shared_ptr<asiortc::signaling_pipe> pipe)
      : connection_(context),
        session_(asiortc::negotiate(connection_, std::move(pipe))),
        chat_(connection_.create_data_channel("chat")) {
    on_each(connection_.connection_states(), [](const auto& change) {
      std::cout << "the caller is " << to_string(change.state) << '\n';
    });
    on_each(chat_.messages(), [this](asiortc::message reply) { replied(reply); });
    chat_.async_open([this](error_code failed) {
      if (failed) return fail(failed);
      chat_.async_send("hello", [this](error_code refused) {
        if (refused) fail(refused);
      });
    });
  }

  bool answered() const { return answered_; }

 private:
  void replied(const asiortc::message& reply) {
    std::cout << reply.text() << '\n';
    answered_ = true;
    connection_.async_close([](error_code) { std::cout << "the caller has closed\n"; });
  }

  void fail(error_code why) {
    std::cerr << "the caller failed: " << why.message() << '\n';
    connection_.close();
  }

  asiortc::peer_connection connection_;
  asiortc::negotiation session_;
  asiortc::data_channel chat_;
  bool answered_ = false;
};

class answerer {
 public:
  answerer(asio::io_context& context, std::shared_ptr<asiortc::signaling_pipe> pipe)
      : connection_(context), session_(asiortc::negotiate(connection_, std::move(pipe))) {
    on_each(connection_.data_channels(), [this](asiortc::data_channel opened) {
      chat_ = std::move(opened);  // who drops the handle closes the channel
      receive();
    });
  }

 private:
  // The next message is taken once the answer to the last is on its way: back-pressure.
  void receive() {
    chat_.async_receive([this](error_code, std::optional<asiortc::message> message) {
      if (!message) return connection_.close();
      chat_.async_send("you said: " + std::string(message->text()), [this](error_code failed) {
        if (!failed) receive();
      });
    });
  }

  asiortc::peer_connection connection_;
  asiortc::negotiation session_;
  asiortc::data_channel chat_;
};

int main() {
  asio::io_context context;
  auto [one_end, other_end] = asiortc::make_signaling_pipe_pair(context.get_executor());
  caller alice(context, one_end);
  answerer bob(context, other_end);
  context.run();  // returns when both are closed
  return alice.answered() ? 0 : 1;
}
