# The programs in a container, on the CPU. UNTESTED: it was never built.
#
#   docker build --tag nasnet-keras .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" nasnet-keras \
#       train --recipe=digits --train_dir=runs/digits
FROM python:3.12-slim

ENV PIP_NO_CACHE_DIR=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    # Whoever runs it need not have a home in the container.
    KERAS_HOME=/tmp/keras \
    MPLCONFIGDIR=/tmp/matplotlib

WORKDIR /opt/nasnet_keras
COPY pyproject.toml setup.py constraints.txt README.md LICENSE ./
COPY nasnet_keras nasnet_keras
RUN pip install --constraint constraints.txt .

WORKDIR /work
USER nobody
ENTRYPOINT ["nasnet-keras"]
CMD ["--help"]
