"""The gunicorn settings of the comparison, the same for bare Flask and the kit."""

worker_class = "sync"
workers = 1
timeout = 30
control_socket_disable = True
accesslog = None
