r"""Searches for the cells of a network, and shows the results.

  nasnet-keras search run --strategy=ppo --dataset_name=digits --budget=40 \
      --run_dir=runs/search --workers=2
  nasnet-keras search status --run_dir=runs/search
  nasnet-keras search top --run_dir=runs/search
  nasnet-keras search rerank --run_dir=runs/search --count=5 --workers=2
  nasnet-keras search final --run_dir=runs/search --count=3 --num_cells=6,18 --filters=16,32
  nasnet-keras search report --run_dir=runs/search
  nasnet-keras search draw --run_dir=runs/search
  nasnet-keras search export --run_dir=runs/search

The same command resumes an interrupted search.
"""
