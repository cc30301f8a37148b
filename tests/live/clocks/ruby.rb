# GET /now, /pause: `ruby ruby.rb PORT`
require "socket"
require "timeout"

def pause
  began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  sleep 0.05
  mutex = Mutex.new
  mutex.synchronize { ConditionVariable.new.wait(mutex, 0.05) }
  begin
    Timeout.timeout(0.05) { Queue.new.pop }
  rescue Timeout::Error
  end
  took = Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
  took.between?(0.13, 5) ? "waited" : "waited #{took} s"
end

server = TCPServer.new("127.0.0.1", ARGV[0].to_i)
loop do
  Thread.new(server.accept) do |client|
    path = client.gets.to_s.split[1]
    nil while (line = client.gets) && line != "\r\n"
    if path
      body = path == "/pause" ? pause : Time.now.utc.strftime("%Y/%m/%d %Hh%M")
      client.write "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: #{body.size}\r\nconnection: close\r\n\r\n#{body}"
    end
    client.close
  end
end
